"""Pictures of a report: those that a run logged, else drawn from its predictions."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ser_experiments.evaluation.plots import pictures_of
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.report.blocks import Picture
from ser_experiments.report.study import Study
from ser_experiments.words import as_file_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BEGINS = b"\x89PNG\r\n\x1a\n"


def png_of(draw: Callable[[], Figure]) -> bytes:
    """Draw a figure, and return it as a PNG picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    content = io.BytesIO()
    # The version of matplotlib would be written into it otherwise, and equal pictures would differ.
    FigureCanvasAgg(draw()).print_png(content, metadata={"Software": None})
    return content.getvalue()


def pictures_of_best(study: Study) -> list[Picture]:
    """Return the pictures of the best run's predictions, each with what it shows in words."""
    predictions, found = study.best.predictions, []
    for path, one in pictures_of(predictions).items():
        name = PurePosixPath(path).name
        words = one.name.replace("_", " ").replace("{primary}", get_score(predictions.task.primary).title)
        said = (
            one.say(predictions) if one.say is not None else f"Picture of {words}; its numbers are not given in words."
        )
        logged = study.files.get(path, b"")
        title = f"{study.best.run.name}, {study.setting.name}"
        png = logged if logged.startswith(_BEGINS) else png_of(partial(one.draw, predictions, title))
        found.append(Picture(as_file_name(name), said, f"{study.best.run.name}: {words}", png))
    return found
