"""Pictures for the page: on a light and on a dark ground, wide and for a phone."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

from ser_experiments.evaluation.plots._style import INK, PALE
from ser_experiments.words import as_people_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

#: Ground, ink and pale of the dark pictures; the ground is that of the page.
_GROUND, _LIGHT, _DIM = "#27272a", "#e6e8eb", "#4b4f57"
#: Inches of a picture for a phone, whose text then has the size of the page's.
_PHONE_INCHES = 4.2
#: Where a picture for a phone has its legend.
_BELOW: dict[str, Any] = {"loc": "outside lower center", "ncols": 3, "fontsize": 8, "frameon": False}


def looks(figure: Figure) -> list[tuple[str, str, str]]:
    """Return a picture as :func:`ser_experiments.cli._page_answers.pictured` takes it; the figure is changed.

    Parameters
    ----------
    figure : Figure
        On a light ground, wide.
    """
    _name(figure)
    wide_light = _address(figure)
    _paint(figure, _GROUND, _LIGHT, _DIM)
    wide_dark = _address(figure)
    _narrow(figure)
    narrow_dark = _address(figure, 160)
    _paint(figure, "white", INK, PALE)
    return [("ser-light", wide_light, _address(figure, 160)), ("ser-dark", wide_dark, narrow_dark)]


def _address(figure: Figure, dpi: int = 110) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _name(figure: Figure) -> None:
    """Write the names in legends as people write them."""
    for legend in _legends(figure):
        for text in legend.get_texts():
            text.set_text(as_people_write(text.get_text()))


def _legends(figure: Figure) -> list[Legend]:
    return [*figure.legends, *filter(None, (axis.get_legend() for axis in figure.axes))]


def _narrow(figure: Figure) -> None:
    """Give a picture the shape of a phone: no wider than one, and legends below."""
    width, height = figure.get_size_inches()
    if width <= _PHONE_INCHES:
        return
    figure.set_size_inches(_PHONE_INCHES, max(_PHONE_INCHES, min(height, 5.6)))
    for axis in figure.axes:
        legend = axis.get_legend()
        if legend is not None:
            texts = [text.get_text() for text in legend.get_texts()]
            colour = legend.get_texts()[0].get_color()
            handles = [handle for handle in legend.legend_handles if handle is not None]
            legend.remove()
            figure.legend(handles, texts, **_BELOW, labelcolor=colour)


def _paint(figure: Figure, ground: str, ink: str, pale: str) -> None:
    """Give a picture another ground, and what is written and drawn on it in grey other greys; colours stay."""
    from matplotlib.colors import to_hex
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    figure.patch.set_facecolor(ground)
    for axis in figure.axes:
        axis.set_facecolor(ground)
        axis.tick_params(colors=ink)
        for spine in axis.spines.values():
            spine.set_edgecolor(ink)
    for text in figure.findobj(Text):
        text.set_color(ink)
    greys = {**dict.fromkeys((INK, _LIGHT), ink), **dict.fromkeys((PALE, _DIM), pale)}
    for line in figure.findobj(Line2D):
        line.set_color(greys.get(to_hex(line.get_color()), line.get_color()))
    for patch in figure.findobj(Patch):
        if to_hex(patch.get_facecolor()) in (PALE, _DIM):
            patch.set_facecolor(pale)
