"""Measure what published ways to split are worth on speech at hand, for the page of claims.

What is measured is kept in ``docs/claims/measured.json``. Run in a project's folder, which keeps the features::

    python benchmarks/claims.py rules  CORPUS.csv --name emodb4 --out measured.json
    python benchmarks/claims.py rules  CORPUS.csv --name emodb4 --out measured.json --model svm_encoder --weights FOLDER
    python benchmarks/claims.py leaks  CORPUS.csv --name emodb4 --out measured.json

``rules`` runs one definition under each rule of :data:`RULES` and under leave-one-speaker-out, and takes the difference
on the clips that the rule tests, paired over speakers. ``leaks`` isolates what is not a matter of who is tested.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedShuffleSplit, train_test_split

from ser_experiments import Corpus, feature_table, load_corpus, run_experiment
from ser_experiments.corpora import stem_of
from ser_experiments.evaluation.compare import paired_difference
from ser_experiments.evaluation.folds import Fold
from ser_experiments.evaluation.known import known
from ser_experiments.evaluation.own_folds import read_folds
from ser_experiments.evaluation.scoring import interval, pooled
from ser_experiments.frames import Predictions

LISTED = Path(__file__).parents[1] / "docs" / "claims"
#: One cut: the side or the fold of each clip, by id.
Cuts = Iterator[pd.Series]


def _sides(ids: Sequence[str], tested: Sequence[str]) -> pd.Series:
    return pd.Series("train", index=pd.Index(ids)).where(~pd.Index(ids).isin(list(tested)), "test")


def _by_class(table: pd.DataFrame) -> list[str]:
    """List clips folder by folder, as scripts do that walk over one folder a class; by name within one."""
    return [str(one) for one in table.sort_values(["label", "utterance_id"]).index]


def _split(table: pd.DataFrame, share: float) -> Cuts:
    ids = _by_class(table)
    yield _sides(ids, train_test_split(ids, test_size=share, random_state=42)[1])


def _shuffles(table: pd.DataFrame) -> Cuts:
    ids = _by_class(table)
    splitter = StratifiedShuffleSplit(n_splits=10, test_size=0.2, random_state=1)
    for _, test in splitter.split(np.zeros(len(ids)), table.loc[ids, "label"]):
        yield _sides(ids, [ids[at] for at in test])


def _in_order(table: pd.DataFrame) -> Cuts:
    ids = sorted(table.index)
    yield _sides(ids, ids[int(0.8 * len(ids)) :])


def _shuffled_list(table: pd.DataFrame) -> Cuts:
    ids = _by_class(table)
    dealt = list(ids)
    random.Random(12).shuffle(dealt)
    yield _sides(ids, dealt[int(0.8 * len(dealt)) + int(0.1 * len(dealt)) :])


def _quarter_of_each(table: pd.DataFrame) -> Cuts:
    drawn = random.Random(0)
    groups = [list(group.index) for _, group in table.loc[_by_class(table)].groupby("label", sort=False)]
    yield _sides(_by_class(table), [one for ids in groups for one in drawn.sample(ids, int(0.25 * len(ids)))])


def _a_man_and_a_woman(table: pd.DataFrame) -> Cuts:
    who = table.groupby("speaker")["gender"].first()
    for pair in product(who.index[who == "m"], who.index[who == "f"]):
        yield _sides(list(table.index), list(table.index[table["speaker"].isin(pair)]))


def _listed(table: pd.DataFrame) -> Cuts:
    stems = {stem_of(one): one for one in table.index}
    told = read_folds(LISTED / "emobox_emodb.csv")
    yield told.set_axis([stems.get(stem_of(one), one) for one in told.index])[list(table.index)]


def _audeering(table: pd.DataFrame) -> Cuts:
    yield _sides(list(table.index), list(table.index[table["speaker"].isin(["12", "14", "15", "16"])]))


#: By name: what cuts, whether speakers stay apart, and of which corpora it is (all, where none is named).
RULES: dict[str, tuple[Callable[[pd.DataFrame], Cuts], bool, str]] = {
    "emobox-emodb": (_listed, False, "emodb4"),
    "emobox-quarter": (_quarter_of_each, False, ""),
    "split-20": (lambda table: _split(table, 0.2), False, ""),
    "split-33": (lambda table: _split(table, 0.33), False, ""),
    "shuffles": (_shuffles, False, ""),
    "speechbrain": (_shuffled_list, False, ""),
    "in-order": (_in_order, False, ""),
    "man-and-woman": (_a_man_and_a_woman, True, ""),
    "audeering-emodb": (_audeering, True, "emodb4"),
}
#: Rules of many fits, which a search would make slow.
_LONG = ("shuffles", "man-and-woman")


def _run(model: str, corpus: Corpus, cut: pd.Series | None, weights: str | None) -> Predictions:
    overrides = {"features.params.encoder.model": weights} if weights else {}
    how: dict[str, Any] = {"corpus": corpus, "overrides": overrides, "log_run": False, "jobs": 1}
    if cut is None:
        return run_experiment(model, protocol="leave-one-speaker-out", **how).scored
    apart = pd.DataFrame({"fold": cut, "speaker": corpus.utterances["speaker"]}).groupby("speaker")["fold"].nunique()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "folds.csv"
        cut.rename("fold").rename_axis("utterance_id").to_csv(path)
        return run_experiment(model, folds_file=path, allow_leak=bool((apart > 1).any()), **how).scored


def _folds(table: pd.DataFrame, cuts: Sequence[pd.Series]) -> list[Fold]:
    found = []
    for cut in cuts:
        told = cut.reindex(table.index).to_numpy(dtype=str)
        found += [Fold(name, np.flatnonzero(told != name), np.flatnonzero(told == name))
                  for name in dict.fromkeys(told) if name != "train"]  # fmt: skip
    return found


def _times(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put the rows of several cuts below each other; a clip that is tested twice has an id for each time."""
    joined = pd.concat(parts)
    again = joined.groupby(level=0).cumcount().astype(str)
    return joined.set_axis(pd.Index(joined.index + "#" + again, name="utterance_id"))


def _score(predictions: Predictions) -> list[float]:
    found = interval(predictions, "speaker")
    return [round(float(one), 4) for one in (pooled(predictions)["uar"], found.low, found.high)]


def _between(first: Predictions, second: Predictions) -> list[float]:
    found = paired_difference(first, second, "speaker")
    return [round(float(one), 4) for one in (found.value, found.low, found.high)]


def rules(corpus: Corpus, name: str, model: str, weights: str | None) -> dict[str, Any]:
    """Run a definition under every rule."""
    table = corpus.utterances
    shown = table.assign(emotion=table["label"])
    base = _run(model, corpus, None, weights)
    found: dict[str, Any] = {"leave-one-speaker-out": {"uar": _score(base), "tested": len(base.frame)}}
    for rule, (cut, _, of) in RULES.items():
        if (of and of != name) or (weights and rule in _LONG):
            continue
        begun = time.perf_counter()
        cuts = list(cut(table))
        parts = [_run(model, corpus, one, weights).frame for one in cuts]
        mine = Predictions(_times(parts), base.task)
        same = Predictions(_times([base.frame.loc[part.index] for part in parts]), base.task)
        found[rule] = {
            "cuts": len(cuts),
            "tested": len(mine.frame),
            "known": {one.what: round(one.share, 4) for one in known(shown, _folds(table, cuts))},
            "uar": _score(mine),
            "apart": _score(same),
            "difference": _between(mine, same),
        }
        print(f"{name} {model} {rule}: {found[rule]} ({time.perf_counter() - begun:.0f} s)", flush=True)
    return found


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["rules", "leaks"])
    parser.add_argument("corpus")
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="svm_lld")
    parser.add_argument("--weights")
    parser.add_argument("--only", nargs="*", default=[], help="of the leaks")
    given = parser.parse_args()
    corpus = load_corpus(given.corpus)
    kept = json.loads(given.out.read_text(encoding="utf-8")) if given.out.exists() else {}
    if given.what == "rules":
        kept.setdefault(given.name, {})[given.model] = rules(corpus, given.name, given.model, given.weights)
    else:
        from _claims_leaks import leaks

        kept.setdefault(given.name, {})["leaks"] = leaks(
            corpus, feature_table("lld", corpus, jobs=1), _between, _score, given.only
        )
    given.out.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _main()
