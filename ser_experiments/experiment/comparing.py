"""Which of several results is better, as one asks in Python; ``ser compare`` asks it of what was logged."""

from __future__ import annotations

from ser_experiments.errors import InputError
from ser_experiments.evaluation.compare import Comparison, compare
from ser_experiments.evaluation.score import Score
from ser_experiments.experiment.result import Result
from ser_experiments.experiment.view import run_name
from ser_experiments.frames import unit_column


def compare_results(*results: Result, metric: str | Score | None = None) -> Comparison:
    """Rank results of one setting, with intervals and paired differences to the best.

    Parameters
    ----------
    *results : Result
        Of one setting. Two of one experiment are told apart by what was changed, or by their seed.
    metric : str or Score, optional
        What ranks them; by default the primary score of the task.

    Raises
    ------
    InputError
        No results, results of other rows, or an unknown score.

    Examples
    --------
    >>> from ser_experiments import compare_results, run_experiment
    >>> where = {"corpus": "recordings/metadata.csv", "log_run": False}
    >>> board = compare_results(run_experiment("dummy", **where), run_experiment("logreg_lld", **where))
    >>> board.best.key
    'logreg_lld'
    """
    named: dict[str, Result] = {}
    for result in results:
        if not isinstance(result, Result):
            raise InputError(f"results are what run_experiment returns; got {type(result).__name__}")
        name = run_name(result.prepared)
        if name in named:
            raise InputError(f"{name} is there twice; compare one of them")
        named[name] = result
    unit = results[0].prepared.folds.unit if results else "speaker"
    return compare({name: one.scored for name, one in named.items()}, unit_column(unit), metric=metric)
