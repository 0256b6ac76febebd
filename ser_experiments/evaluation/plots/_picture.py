"""Pictures that are made of out-of-fold predictions alone, and which of them a run gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ser_experiments import plugins
from ser_experiments.frames import Predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Where a picture is one file.
PLOTS = "ser_experiments.evaluation.plots"


@dataclass(frozen=True)
class Picture:
    """A picture of predictions; a file of :mod:`ser_experiments.evaluation.plots` names its own in ``PICTURES``.

    Parameters
    ----------
    name : str
        Of the artifact, without folder and ending; ``{primary}`` in it stands for the primary score.
    draw : callable
        ``draw(predictions, title)``.
    say : callable, optional
        ``say(predictions)``: what it shows in words, with the numbers, for whoever does not see it.
    kinds : tuple of str, optional
        Kinds of task that it is for; by default all.
    needs_values : bool, default=False
        Whether it needs a number for every target.
    only : callable, optional
        ``only(predictions)``: whether it shows what no other picture does.
    """

    name: str
    draw: Callable[[Predictions, str], Figure]
    say: Callable[[Predictions], str] | None = None
    kinds: tuple[str, ...] = ()
    needs_values: bool = False
    only: Callable[[Predictions], bool] | None = None

    def fits(self, predictions: Predictions) -> bool:
        """Whether it can be drawn of these predictions."""
        kind = not self.kinds or predictions.task.kind in self.kinds
        values = predictions.has_values or not self.needs_values
        return kind and values and (self.only is None or self.only(predictions))


def pictures_of(predictions: Predictions) -> dict[str, Picture]:
    """Return the pictures that predictions get, by the path of their artifact."""
    every = [
        picture
        for name in plugins.names(PLOTS)
        for picture in getattr(plugins.load(PLOTS, name, "picture"), "PICTURES", ())
    ]
    fitting = [picture for picture in every if picture.fits(predictions)]
    return {f"plots/{one.name.format(primary=predictions.task.primary)}.png": one for one in fitting}
