"""What the runs of a board cost, below what they score."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from ser_experiments.tracking.backend import StoredRun

#: Headings by metric of :mod:`ser_experiments.experiment.costs`, and how a number is shown.
_SHOWN = {
    "measuring_ms_per_s": ("measuring, ms a second", "{:.1f}"),
    "fit_s": ("a fold's fit, s", "{:.1f}"),
    "model_mb": ("model, MB", "{:.1f}"),
    "weights_mb": ("weights, MB", "{:.0f}"),
}


def cost_fields(run: StoredRun) -> dict[str, float]:
    """Return the costs of a run by metric; NaN of what was not noted."""
    return {name: run.metrics.get(name, float("nan")) for name in _SHOWN}


def cost_table(names: list[str], board: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells, one row a run of the board; nothing where no run has noted a cost."""
    kept = [name for name in _SHOWN if board[name].notna().any()]
    if not kept:
        return [], []
    cells = [
        [name, *(_SHOWN[one][1].format(row[one]) if row[one] == row[one] else "" for one in kept)]
        for name, row in zip(names, board.to_dict(orient="records"), strict=True)
    ]
    return ["cost of", *(_SHOWN[one][0] for one in kept)], cells
