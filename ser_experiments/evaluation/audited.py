"""What an audit found, as one value without a model or a recording in it: it is kept with a run and read again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ser_experiments.evaluation.compare import Difference
from ser_experiments.evaluation.fairness import FAILED, PASSED, UNKNOWN, Fairness, Part

#: A fall that is smaller than this is none that anybody would hear.
TOLERATED = 0.05
#: Scores of the same answers are no further apart.
SAME = 1e-6


class Heard(NamedTuple):
    """A condition that was audited: its name, the kind that it is of, and what it stands for."""

    name: str
    kind: str = ""
    words: str = ""


class Finding(NamedTuple):
    """One thing that was audited and its verdict.

    Parameters
    ----------
    name : str
        Of the condition, of what speakers are grouped by, or of a part of a score with that before it.
    kind : str
        Of the condition; of groups what speakers are grouped by.
    verdict : str
        As it was found.
    figures : str
        The numbers behind it, in words.
    """

    name: str
    kind: str
    verdict: str
    figures: str


@dataclass(frozen=True)
class Robustness:
    """What is left under a condition.

    Parameters
    ----------
    condition : Heard
        Which.
    score : float
        The primary score of the task under it.
    fall : Difference
        The score as recorded minus this one, paired over speakers, on the utterances that both have an answer for.
    unchanged : float
        The share of utterances whose answer stays; of numbers, NaN.
    n_failed : int
        Utterances that nothing could be measured of.
    tolerated : float
        The fall that is none.
    """

    condition: Heard
    score: float
    fall: Difference
    unchanged: float
    n_failed: int
    tolerated: float = TOLERATED

    @property
    def worse(self) -> tuple[float, float, float]:
        """Return by how much the score is worse and the ends of that, whichever way is better."""
        fall = self.fall
        return (fall.value, fall.low, fall.high) if fall.better > 0 else (0 - fall.value, 0 - fall.high, 0 - fall.low)

    @property
    def verdict(self) -> str:
        """Return what the interval of the fall says.

        ``passed`` where the score gets worse by less than :attr:`tolerated` with its whole interval, ``failed`` where
        it gets worse for certain, else that it cannot be told.
        """
        _, low, high = self.worse
        if high < self.tolerated:
            return PASSED
        return FAILED if low > 0 else UNKNOWN


class Spoke(NamedTuple):
    """A speaker: what is scored of all of the speaker's utterances, and how many there are."""

    name: str
    score: float
    n_utterances: int


@dataclass(frozen=True)
class Audited:
    """What an audit found.

    Parameters
    ----------
    experiment, setting, rows : str
        What was audited, on which utterances and folds.
    metric, title : str
        The score, and as people call it.
    score, low, high : float
        As recorded, with the 95 % interval over speakers.
    robustness : sequence of Robustness
        By condition.
    fairness : sequence of Fairness
        By what speakers are grouped by.
    speakers : sequence of Spoke
        The worst first.
    better : int
        1 where more is better, -1 where less is.
    views : sequence of str
        Changes that the model was trained on.
    changes, seed, run_id, program, when : str
        What else was said of the run; the run, empty where there is none; with what it was audited, and when.
    """

    experiment: str
    setting: str
    rows: str
    metric: str
    title: str
    score: float
    low: float
    high: float
    robustness: Sequence[Robustness]
    fairness: Sequence[Fairness]
    speakers: Sequence[Spoke]
    better: int = 1
    views: Sequence[str] = ()
    changes: str = ""
    seed: str = "0"
    run_id: str = ""
    program: str = ""
    when: str = ""
    tolerated: float = field(default=TOLERATED)

    @property
    def n_utterances(self) -> int:
        """Return how many utterances were answered as recorded."""
        return sum(one.n_utterances for one in self.speakers)

    @property
    def findings(self) -> list[Finding]:
        """Return everything that has a verdict: conditions, groups, and parts of the score by group."""
        found = [
            Finding(one.condition.name, one.condition.kind, one.verdict, _falls(self.title, one))
            for one in self.robustness
        ]
        for group in self.fairness:
            found.append(Finding(group.by, group.by, group.verdict, _differs(self.title, group)))
            found += [
                Finding(f"{group.by}, {part.name}", group.by, part.verdict, _differs(part.name, part))
                for part in group.parts
            ]
        return found

    def those(self, verdict: str) -> list[str]:
        """Name what has a verdict."""
        return [one.name for one in self.findings if one.verdict == verdict]

    @property
    def failed(self) -> list[str]:
        """Name what failed."""
        return self.those(FAILED)

    @property
    def summary(self) -> str:
        """Say in a line what failed, what cannot be told and how much passed."""
        told = [f"failed: {', '.join(self.failed)}"] if self.failed else []
        told += [f"cannot be told: {', '.join(unknown)}"] if (unknown := self.those(UNKNOWN)) else []
        n_passed = len(self.those(PASSED))
        return "; ".join([*told, f"passed: {n_passed} of {len(self.findings)}"])

    def joined(self, earlier: Audited) -> Audited:
        """Add the conditions of an earlier audit of the same run that were not audited again."""
        mine = {one.condition.name for one in self.robustness}
        return replace(
            self, robustness=[*(one for one in earlier.robustness if one.condition.name not in mine), *self.robustness]
        )


def _falls(title: str, one: Robustness) -> str:
    value, low, high = one.worse
    return f"{title} {one.score:.3f}, worse by {value:+.3f}, {low:+.3f} to {high:+.3f}"


def _differs(title: str, one: Fairness | Part) -> str:
    chance = "" if math.isnan(one.threshold) else f", by chance {one.threshold:.3f} at most"
    return f"{title} differs by {one.difference:.3f}{chance}"
