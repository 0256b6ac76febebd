"""``ser corpora``: which corpora there are, and what a copy holds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._groups import Group
from ser_experiments.cli._options import CorpusCommand, request_options, take
from ser_experiments.cli._project import here
from ser_experiments.cli._say import say
from ser_experiments.experiment.request import CorpusRequest

if TYPE_CHECKING:
    import pandas as pd


@click.group("corpora", cls=Group)
def command() -> None:
    """List corpora, and describe a copy of one."""


@command.command("list")
def list_corpora() -> None:
    """List the corpora with their label schemes."""
    from ser_experiments import plugins
    from ser_experiments.corpora import PACKAGE

    for name, module in plugins.each(PACKAGE, "corpus", holds="SPEC"):
        spec = module.SPEC
        say(f"{name}: {spec.title}")
        if spec.facts.line:
            say(f"  {spec.facts.line}")
        say(f"  licence: {spec.licence}")
        if spec.facts.homepage:
            say(f"  from: {spec.facts.homepage}")
        if spec.warning:
            say(f"  warning: {spec.warning}")
        for scheme in spec.schemes.values():
            rule = scheme.rule or "every word its own class"
            say(f"  --labels {scheme.name}: {rule} ({scheme.note})")
        if len(spec.subsets) > 1:
            say(f"  --subset {' | '.join(spec.subsets)}")
        for published, where in spec.published.items():
            say(f"  folds {published}: {where}")
        for option in spec.options:
            say(f"  --{option.name}: {option.help}")


@command.command("describe", cls=CorpusCommand)
@click.argument("corpus")
@request_options(CorpusRequest, without=("corpus", "labels", "subset", "map", "drop"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def describe(corpus: str, as_json: bool, **given: Any) -> None:
    """Count utterances beside the expected counts.

    By session, by speaker and by class; a copy that is not complete is told where it differs.
    """
    from ser_experiments.corpora import read_corpus
    from ser_experiments.corpora._describe import beside, compare_counts, counts, differences
    from ser_experiments.evaluation.agreement import described

    request = take(CorpusRequest, given, corpus=corpus)
    spec, reading = read_corpus(corpus, request.root, project=here(), **request.corpus_options)
    found = counts(reading.utterances, spec.schemes)
    raters = described(reading.utterances, spec)
    compared = compare_counts(reading.utterances, spec.expected(), spec.schemes) if spec.expected else None
    other = [] if compared is None else differences(compared)
    if as_json:
        tables: dict[str, Any] = {key: table.to_dict(orient="index") for key, table in found.items()}
        if len(raters):
            known = raters.astype(object).where(raters.notna(), None)
            tables["by agreement of raters"] = known.to_dict(orient="index")
        say(json.dumps({"corpus": reading.name, "root": str(reading.root), "counts": tables,
                               "notes": list(reading.notes), "differences": other}))  # fmt: skip
        return
    say(f"{reading.name}: {len(reading.utterances)} utterances under {reading.root}")
    if compared is not None:
        first = compared[compared["found"] != compared["expected"]].head(1)
        for found_here, complete in zip(first["found"], first["expected"], strict=True):
            say(f"{found_here}/{complete}: {found_here} here, {complete} in a complete copy")
        found |= {f"by {by}": beside(compared, by) for by in compared["by"].unique()}
    if len(raters):
        found["by agreement of raters"] = raters.map(lambda cell: f"{cell:.3f}".removesuffix(".000"))
    for title, table in found.items():
        say(f"\n{title}\n{_as_text(table)}")
    say()
    for line in reading.notes:
        say(f"note: {line}")
    if compared is not None:
        say(_verdict(len(other), len(compared)))


@command.command("scan")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--pattern", help="Path of a recording, e.g. '{label}/{speaker}_{text}.wav'; guessed where it can be.")
@click.option("--write", type=click.Path(path_type=Path), help="Write the list, e.g. FOLDER/metadata.csv.")
def scan(folder: Path, pattern: str | None, write: Path | None) -> None:
    """List recordings whose paths say what they are.

    What was found is shown by label and speaker; the list that --write makes is a corpus.
    """
    import pandas as pd

    from ser_experiments.audio.container import FOREIGN, READABLE
    from ser_experiments.corpora._scan import scan
    from ser_experiments.csvfile import write_csv
    from ser_experiments.errors import InputError
    from ser_experiments.words import in_one_line

    found = scan(folder, pattern, endings=READABLE | FOREIGN)
    say(f"--pattern '{found.pattern}': {len(found.table)} recordings")
    say(_as_text(pd.crosstab(found.table["speaker"], found.table["label"], margins=True, margins_name="total")))
    if found.others:
        say(f"note: {len(found.others)} recordings are not named so, e.g. {in_one_line(found.others[0])}")
    if write is None:
        say(f"nothing is written; --write {folder / 'metadata.csv'} makes it a corpus")
        return
    if write.exists():
        raise InputError(f"{write} is there already; choose another name")
    inside = os.path.relpath(folder.resolve(), write.resolve().parent)
    table = found.table.assign(path=[os.path.normpath(os.path.join(inside, one)) for one in found.table["path"]])
    try:
        write_csv(table, write, index=False)
    except OSError as error:
        raise InputError(f"{write}: cannot be written: {error.strerror or error}") from error
    say(f"written: {write}")


def _verdict(n_different: int, n_counts: int) -> str:
    if n_different == 0:
        return f"all {n_counts} counts are those of a complete copy"
    return (
        f"{n_different} of {n_counts} counts differ from a complete copy: it is usable, but scores are not "
        "those of the whole corpus"
    )


def _as_text(table: pd.DataFrame) -> str:
    """Write a table with its longer side downward, so that it fits a terminal."""
    shown = table if len(table) >= len(table.columns) else table.T
    return shown.rename_axis(index=None, columns=None).to_string()
