"""Several runs by one command: what went wrong in one, a small board of all, and the spread of seeds."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_experiments.cli._boards import console, print_table
from ser_experiments.cli._failures import words_of
from ser_experiments.cli._say import aside, say
from ser_experiments.errors import InputError
from ser_experiments.report.plain import finite

if TYPE_CHECKING:
    from ser_experiments.evaluation.score import Score
    from ser_experiments.experiment import Result
    from ser_experiments.experiment.request import RunRequest
    from ser_experiments.project import Project


def check(wanted: Sequence[RunRequest], project: Project) -> None:
    """Refuse definitions that are not there or cannot be used, all that are, before anything runs.

    Raises
    ------
    InputError
        It names them all.
    """
    from ser_experiments.experiment.definition import load_experiment

    problems: list[str] = []
    paths: dict[str, object] = {}
    for request in {one.experiment: one for one in wanted}.values():
        try:
            name = load_experiment(request.experiment, project.experiments, request.overrides).name
        except InputError as error:
            problems.append(str(error))
            continue
        if name in paths:
            problems.append(f"{paths[name]} and {request.experiment} are both called {name!r}; run one after the other")
        paths[name] = request.experiment
    if problems:
        raise InputError("; ".join(problems))


class Outcomes:
    """What became of several runs.

    Parameters
    ----------
    wanted : sequence of RunRequest
        All that are to be run.
    """

    def __init__(self, wanted: Sequence[RunRequest]) -> None:
        self.results: list[Result] = []
        self.failed: dict[str, str] = {}
        self._wanted = list(wanted)
        self._many_seeds = len({one.seed for one in wanted}) > 1

    @contextmanager
    def of(self, request: RunRequest) -> Iterator[None]:
        """Say which run begins; what stops it is said and does not stop the others."""
        called = self._called(request)
        aside(f"{self._wanted.index(request) + 1}/{len(self._wanted)}: {called}")
        try:
            yield
        except BrokenPipeError:
            # Nobody reads on.
            raise
        except Exception as error:
            words, _ = words_of(error)
            self.failed[called] = words
            say(f"error: {called}: {words}", err=True)

    def add(self, request: RunRequest, result: Result) -> Result:
        """Keep and return what a run gave."""
        self.results.append(result)
        return result

    def show(self, *, as_json: bool) -> None:
        """Print the board, or everything as one JSON object, and then what failed."""
        if as_json:
            spread = {"spread": {name: finite(row) for name, row in self._rows().items()}} if self._many_seeds else {}
            say(json.dumps({"runs": [one.as_dict() for one in self.results], **spread, "failed": self.failed}))
        elif self.results:
            self._board()
        if self.failed:
            say(f"failed: {len(self.failed)} of {len(self._wanted)}: {', '.join(self.failed)}; see above", err=True)

    def _called(self, request: RunRequest) -> str:
        name = str(request.experiment)
        name = Path(name).stem if name.endswith(".toml") else name
        return f"{name} (seed {request.seed})" if self._many_seeds else name

    def _primary(self) -> Score:
        from ser_experiments.evaluation.scoring import get_score

        return get_score(self.results[0].prepared.task.primary)

    def _rows(self) -> dict[str, dict[str, Any]]:
        """Return by experiment how its runs score, and the ends of their intervals, each the mean of the seeds'."""
        if not self.results:
            return {}
        metric = self._primary().name
        rows: dict[str, dict[str, Any]] = {}
        for name in dict.fromkeys(one.prepared.experiment.name for one in self.results):
            runs = [one for one in self.results if one.prepared.experiment.name == name]
            values = [one.metrics[metric] for one in runs]
            rows[name] = {
                "metric": metric,
                "seeds": [one.prepared.seed for one in runs],
                "mean": statistics.fmean(values),
                "std": statistics.stdev(values) if len(values) > 1 else None,
                "min": min(values),
                "max": max(values),
                "ci_low": statistics.fmean(one.interval.low for one in runs),
                "ci_high": statistics.fmean(one.interval.high for one in runs),
                "n_groups": runs[0].interval.n_groups,
                "interval_unit": runs[0].prepared.folds.unit,
            }
        return rows

    def _board(self) -> None:
        """Print a line an experiment, the best first."""
        primary, rows = self._primary(), self._rows()
        best_first = sorted(rows.items(), key=lambda row: row[1]["mean"], reverse=primary.better > 0)
        first = best_first[0][1]
        on = console(100)
        on.print(f"\n{self.results[0].prepared.setting.name}", style="bold", markup=False, soft_wrap=True)
        if self._many_seeds:
            headings = ["experiment", "seeds", f"{primary.title} mean", "sd", "min to max", "95 % interval"]
            cells = [
                [name, str(len(row["seeds"])), f"{row['mean']:.3f}", "-" if row["std"] is None else f"{row['std']:.3f}",
                 f"{row['min']:.3f} to {row['max']:.3f}", f"{row['ci_low']:.3f} to {row['ci_high']:.3f}"]
                for name, row in best_first
            ]  # fmt: skip
        else:
            headings = ["experiment", primary.title, "95 % interval"]
            cells = [
                [name, f"{row['mean']:.3f}", f"{row['ci_low']:.3f} to {row['ci_high']:.3f}"] for name, row in best_first
            ]
        print_table(on, headings, cells, left=[0])
        over = f"intervals over {first['n_groups']} {first['interval_unit']}s (jackknife, t)"
        seeds = (
            "sd and min to max over seeds, which is not what another speaker would change; " if self._many_seeds else ""
        )
        mean = ", ends averaged over the seeds" if self._many_seeds else ""
        aside_line = f"{seeds}{over}{mean}; paired differences: ser compare"
        on.print(aside_line, style="dim", markup=False, soft_wrap=True)
