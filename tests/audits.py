"""A made-up audit of every kind of task, as one of a run would be."""

from __future__ import annotations

import math
from dataclasses import replace

from ser_experiments.evaluation.audited import Audited, Heard, Robustness, Spoke
from ser_experiments.evaluation.compare import paired_difference
from ser_experiments.evaluation.fairness import fairness
from ser_experiments.evaluation.scoring import by, get_score, interval, pooled
from ser_experiments.frames import Predictions
from tests.scored import MAKERS

#: Conditions with how good the model is under them; as recorded it is 0.8.
UNDER = {("20 dB quieter", "level"): 0.8, ("white noise 0 dB", "noise"): 0.05, ("hall", "room"): 0.6}


def audit_of(
    recorded: Predictions, kind: str, *, seed: int = 1, n_groups: int = 12, n_rows: int = 12, **more: str
) -> Audited:
    """Return an audit of predictions of a kind that were made with this seed, with more of its words perhaps."""
    score = get_score(recorded.task.primary)
    speakers = sorted(set(recorded.units("speaker")))
    robust = []
    for (name, of), skill in UNDER.items():
        heard = MAKERS[kind](skill, seed, n_groups, n_rows)
        stays = float((heard.decided == recorded.decided).mean()) if recorded.task.decided_columns else math.nan
        fall = paired_difference(recorded, heard, "speaker")
        robust.append(Robustness(Heard(name, of, f"as {name}"), pooled(heard)[score.name], fall, stays, 0))
    groups = {
        "gender": {one: "fm"[place % 2] for place, one in enumerate(speakers)},
        "pitch": {one: ("low", "middle", "high")[place % 3] for place, one in enumerate(speakers)},
    }
    found = [fairness(recorded, name, those) for name, those in groups.items()]
    ends, ranked = interval(recorded, "speaker"), by(recorded, "speaker")[score.name].sort_values()
    counts = recorded.frame["speaker"].value_counts()
    told = Audited(
        experiment="svm_lld", setting="corpus-x", rows="r1", metric=score.name, title=score.title,
        score=pooled(recorded)[score.name], low=ends.low, high=ends.high, robustness=robust,
        fairness=[one for one in found if one is not None], better=score.better,
        speakers=[Spoke(str(name), float(value), int(counts[name])) for name, value in ranked.items()],
    )  # fmt: skip
    return replace(told, **more)  # type: ignore[arg-type]


def made_up(kind: str = "classes", **more: str) -> Audited:
    """Return an audit of a kind of task."""
    return audit_of(MAKERS[kind](0.8, 1, 12, 12), kind, **more)
