"""What a run costs, beside what it scores: measuring, fitting, and the weights that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ser_experiments.features.assets import Asset

if TYPE_CHECKING:
    from ser_experiments.experiment.result import Result

#: Metrics of a run: milliseconds of measuring a second of audio, seconds of a fold's fit, megabytes of weights such as
#: an encoder's. The size of the model itself is logged where that is written.
MEASURING, FIT, WEIGHTS = "measuring_ms_per_s", "fit_s", "weights_mb"


def costs_of(result: Result) -> dict[str, float]:
    """Return what is known of the costs of a run by metric; the model's size is known once it is written.

    What was measured or fitted by an earlier run counts with what it took then.
    """
    prepared = result.prepared
    assets = [one for measure in prepared.measures.values() for one in measure.needs.assets.values()]
    n_bytes = sum(one.n_bytes for one in assets if isinstance(one, Asset))
    told = {MEASURING: prepared.measuring_ms, FIT: _fit_s(result), WEIGHTS: n_bytes / 1e6 if assets else None}
    return {name: float(value) for name, value in told.items() if value is not None}


def _fit_s(result: Result) -> float | None:
    """Return the mean seconds of a fold's fit; None where a part of one was taken from a run that did not note it."""
    seconds, took_here = [], result.folds["fit_s"].to_dict()
    for name, report in result.reports.items():
        took = report.made_in_s if report.n_reused else took_here[name]
        if took is None:
            return None
        seconds.append(took)
    return sum(seconds) / len(seconds) if seconds else None
