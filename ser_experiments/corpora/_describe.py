"""Counts of a copy of a corpus, beside those of a complete one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from ser_experiments.corpora._labels import LabelScheme


def counts(utterances: pd.DataFrame, schemes: Mapping[str, LabelScheme]) -> dict[str, pd.DataFrame]:
    """Count utterances by session, by speaker and by label scheme.

    Parameters
    ----------
    utterances : DataFrame
        As a corpus's reader returns them, with ``emotion`` and ``code``.
    schemes : mapping of str to LabelScheme
        The corpus's label schemes.

    Returns
    -------
    dict of str to DataFrame
        Tables by title.
    """
    by_emotion = utterances["emotion"]
    found = {}
    if utterances["session"].notna().any():
        table = pd.crosstab(utterances["session"], by_emotion, margins=True, margins_name="total")
        for column in ("scenario", "dialog"):
            if column in utterances and utterances[column].notna().any():
                table = table.join(_extra(utterances, column))
        found["by session"] = table
    found["by speaker"] = pd.crosstab(utterances["speaker"], by_emotion, margins=True, margins_name="total")
    rows = {}
    for name, scheme in schemes.items():
        if scheme.classes:
            if scheme.column and scheme.column not in utterances:
                continue
            label = scheme.apply(utterances)["label"]
            rows[name] = {"utterances": len(label), **label.value_counts().sort_index().to_dict()}
    usable = {name: row for name, row in rows.items() if row["utterances"]}
    if usable:
        found["by label scheme"] = pd.DataFrame.from_dict(usable, orient="index").fillna(0).astype(int)
    return found


def _extra(utterances: pd.DataFrame, column: str) -> pd.DataFrame:
    if column == "dialog":
        one = utterances.groupby("session")["dialog"].nunique()
        one.loc["total"] = one.sum()
        return one.rename("dialogs").to_frame()
    table = pd.crosstab(utterances["session"], utterances[column])
    table.loc["total"] = table.sum()
    return table


#: How something is counted among some utterances: all of them, the values of a column, those that have one value.
_HOW: dict[str, Callable[[pd.Series, str], int]] = {
    "rows": lambda cells, what: len(cells),
    "values": lambda cells, what: int(cells.nunique()),
    "equal": lambda cells, what: int((cells == what).sum()),
}


def compare_counts(
    utterances: pd.DataFrame, expected: pd.DataFrame, schemes: Mapping[str, LabelScheme]
) -> pd.DataFrame:
    """Count what a complete copy is known to hold.

    Parameters
    ----------
    utterances : DataFrame
        As the reader returns them.
    expected : DataFrame
        One row a count: of the utterances whose column ``by`` is ``value`` (session, speaker or scenario; where it is
        ``"corpus"``, of all of them), ``expected`` are counted as ``what``; ``how`` is ``"rows"`` (all of them),
        ``"values"`` (of ``column``) or ``"equal"`` (whose ``column`` is ``what``). A column may be the name of a label
        scheme: then its classes.
    schemes : mapping of str to LabelScheme
        The corpus's label schemes.

    Returns
    -------
    DataFrame
        The same rows, with the column ``found``; without those of scenarios that this copy has nothing of: a part may
        be had by itself.
    """
    held = set(utterances["scenario"]) if "scenario" in utterances else set()
    expected = expected[(expected["by"] != "scenario") | expected["value"].isin(held)]
    cells = {name: utterances[name] for name in utterances.columns}
    for name in set(expected["column"]) & set(schemes):
        cells[name] = schemes[name].apply(utterances)["label"].reindex(utterances.index)
    found = []
    for row in expected.itertuples():
        mine = np.ones(len(utterances), bool) if row.by == "corpus" else (utterances[row.by] == row.value).to_numpy()
        found.append(_HOW[str(row.how)](cells[str(row.column) or "speaker"][mine], str(row.what)))
    return expected.assign(found=found)


def differences(compared: pd.DataFrame) -> list[str]:
    """Say where a copy differs, one line a count, e.g. ``"session Session1: neu 380, expected 384"``."""
    other = compared[compared["found"] != compared["expected"]]
    return [f"{row.by} {row.value}: {row.what} {row.found}, expected {row.expected}" for row in other.itertuples()]


def beside(compared: pd.DataFrame, by: str) -> pd.DataFrame:
    """Lay found and expected counts side by side.

    Parameters
    ----------
    compared : DataFrame
        From :func:`compare_counts`.
    by : str
        ``"corpus"``, ``"scenario"``, ``"session"`` or ``"speaker"``.

    Returns
    -------
    DataFrame of str
        One row a count and one column a session, or one row a speaker and one column a class, and totals. A cell is
        ``"384"`` where the copy is complete, else ``"380/384"``.
    """
    one = compared[compared["by"] == by]
    order = {key: list(dict.fromkeys(one[key])) for key in ("what", "value")}
    lie, stand = ("value", "what") if by == "speaker" else ("what", "value")
    found, wanted = (
        one.pivot(index=lie, columns=stand, values=key).loc[order[lie], order[stand]].astype("Int64")
        for key in ("found", "expected")
    )
    if by == "speaker":
        found.loc["total"], wanted.loc["total"] = found.sum(), wanted.sum()
    if by == "session" or (by == "speaker" and len(order["what"]) > 1):
        found["total"], wanted["total"] = found.sum(axis=1), wanted.sum(axis=1)
    both = found.astype(str) + ("/" + wanted.astype(str)).where((found != wanted).fillna(False), "")
    # What is counted in one part of a corpus need not be in another.
    both = both.where(wanted.notna(), "")
    return both.rename_axis(index=None, columns=None)
