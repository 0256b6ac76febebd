"""The price of a leak: one experiment under protocols from which ever more is new, and how its score falls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ser_experiments.errors import InputError
from ser_experiments.evaluation.compare import Difference, paired_difference
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.run import run_experiment
from ser_experiments.experiment.selection import TRANSFER, load_setting, select
from ser_experiments.frames import Predictions

if TYPE_CHECKING:
    from ser_experiments.corpora import Corpus
    from ser_experiments.project import Project

#: Protocols, and what a tested utterance has in common with training.
LADDER = {
    "random": "speakers, sessions, texts known",
    "leave-one-speaker-out": "texts known; speakers new",
    "leave-one-session-out": "texts known; speakers, sessions new",
    "leave-one-speaker-and-text-out": "speakers, texts new",
}
_ELSEWHERE = "all new: another corpus"


class Rung(NamedTuple):
    """A protocol of the ladder.

    Parameters
    ----------
    protocol : str
        Its name.
    known : str
        What is known of a tested utterance, in words.
    corpus : str
        As it stands in the setting.
    score : str
        The primary score of the task; empty where the protocol cannot be held.
    value, low, high : float
        The score, with its interval.
    chance : float
        What knowing nothing scores.
    fall : Difference or None
        The score under the first protocol minus this one, paired over speakers; None of the first, and where other
        utterances are tested.
    why_not : str
        Why the protocol cannot be held.
    run_id : str or None
        The run.
    """

    protocol: str
    known: str
    corpus: str
    score: str = ""
    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    chance: float = float("nan")
    fall: Difference | None = None
    why_not: str = ""
    run_id: str | None = None


def leaks(
    request: RunRequest, project: Project, *, tell: Callable[[str], None] = lambda line: None, **how: Any
) -> Iterator[Rung]:
    """Run an experiment under each protocol of :data:`LADDER` in turn, the one that leaks most first.

    Parameters
    ----------
    request : RunRequest
        The experiment and the corpus; with ``test_corpus`` the ladder ends there.
    project : Project
        Where definitions, tables and runs lie.
    tell : callable
        Told what is begun.
    **how
        For :func:`ser_experiments.experiment.run_experiment`.

    Yields
    ------
    Rung
        Also for a protocol that this corpus cannot hold, which says why.

    Raises
    ------
    InputError
        The request itself cannot be run.
    """
    request = replace(request, protocol=None, folds_file=None, allow_leak=False)
    here = replace(request, test_corpus=None, test_root=None)
    corpus = load_setting(here, project)
    steps = [(protocol, known, replace(here, protocol=protocol), corpus) for protocol, known in LADDER.items()]
    if request != here:
        steps.append((TRANSFER, _ELSEWHERE, request, load_setting(request, project)))
    first: Predictions | None = None
    for protocol, known, one, rows in steps:
        if why_not := _why_not(one, rows):
            yield Rung(protocol, known, rows.name, why_not=why_not)
            continue
        tell(protocol)
        result = run_experiment(one, project=project, **how)
        task, interval = result.prepared.task, result.interval
        # The utterances of another corpus are no pair of these.
        paired = first if rows is corpus else None
        fall = None if paired is None else paired_difference(paired, result.scored, "speaker")
        first = first or result.scored
        yield Rung(
            protocol,
            known,
            rows.name,
            task.primary,
            result.metrics[task.primary],
            interval.low,
            interval.high,
            task.chance,
            fall,
            run_id=result.run_id,
        )


def _why_not(request: RunRequest, corpus: Corpus) -> str:
    """Say why a protocol cannot be held on a corpus; nothing where it can."""
    try:
        select(request, corpus)
    except InputError as error:
        return str(error)
    return ""
