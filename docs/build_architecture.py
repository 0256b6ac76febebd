"""Draw ``docs/img/architecture.png``: the rooms, and the path of one utterance through them."""

from __future__ import annotations

import itertools
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

INK, PALE, LINE, PATH = "#1c2733", "#eef2f6", "#9fb0c0", "#c4572b"
#: From the roof down: a layer imports what is below it and nothing above.
LAYERS = [
    ("cli", "one file a command; options come from the requests; prints"),
    ("experiment", "definition, request, selection, run, record; reads like the README"),
    ("tracking", "outbox, leaderboard, registry; a backend a file: MLflow, a folder of JSON"),
    ("serving", "the model in use: folder, audio in, timeline; knows no tracker"),
    ("evaluation", "protocols, folds, rows, scores, comparison, card, pictures"),
    ("models", "families, wrappers, identity and reports of fits; networks in torch"),
    ("features", "sets, views, signal processing; store; extraction; speaker normalisation"),
    ("corpora   |   audio", "one file a corpus: utterances      |      the one gate to a float32 array"),
    ("project   |   parallel", "where things lie      |      where work runs"),
    ("frames", "utterances, predictions and the names of their columns"),
    ("tasks", "what is predicted, one file a kind: classes, dimensions, votes"),
    ("task   |   identity   |   plugins", "small values that everything may use; below them the errors"),
]
#: What one utterance becomes, and the layer where it does.
STEPS = [
    (7, "a row of\nutterances"),
    (6, "numbers in the\nstore, by content"),
    (5, "one row of X,\nwith its group"),
    (4, "an out-of-fold\nanswer, scored"),
    (1, "part of a\nrun record"),
    (2, "logged, perhaps\nregistered"),
    (3, "the model\nanswers audio"),
]
HEIGHT, GAP = 0.78, 0.22


def y_of(layer: int) -> float:
    """Return the middle of a layer's box; the first is on top."""
    return (len(LAYERS) - 1 - layer) * (HEIGHT + GAP) + HEIGHT / 2


def main() -> None:
    """Draw and write the picture."""
    figure = Figure(figsize=(13, 7.6), dpi=130)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(-0.2, 16.4)
    axes.set_ylim(-0.5, len(LAYERS) * (HEIGHT + GAP) + 0.55)
    for layer, (name, words) in enumerate(LAYERS):
        y = y_of(layer)
        axes.add_patch(
            FancyBboxPatch((0, y - HEIGHT / 2), 8.3, HEIGHT, "round,pad=0,rounding_size=0.1", fc=PALE, ec=LINE, lw=1)
        )
        axes.text(0.2, y + 0.14, name, color=INK, fontsize=11, fontweight="bold", va="center")
        axes.text(0.2, y - 0.18, words, color=INK, fontsize=8.2, va="center")
    top = len(LAYERS) * (HEIGHT + GAP) + 0.1
    axes.text(0, top, "Layers: imports run downward", color=INK, fontsize=12.5)
    axes.text(8.7, top, "One utterance, from a recording to an answer", color=PATH, fontsize=12.5)
    width, step = 1.72, 0.98
    places = [(8.75 + i * step, y_of(layer)) for i, (layer, _) in enumerate(STEPS)]
    for (x, y), (_, words) in zip(places, STEPS, strict=True):
        axes.add_patch(
            FancyBboxPatch(
                (x, y - HEIGHT / 2), width, HEIGHT, "round,pad=0,rounding_size=0.1", fc="white", ec=PATH, lw=1.3
            )
        )
        axes.text(x + width / 2, y, words, color=INK, fontsize=8.2, ha="center", va="center")
    for (x, y), (x_next, y_next) in itertools.pairwise(places):
        up = y_next > y
        start = (x + width * 0.72, y + (HEIGHT / 2 if up else -HEIGHT / 2))
        end = (x_next + width * 0.3, y_next + (-HEIGHT / 2 if up else HEIGHT / 2))
        axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=PATH, lw=1.2))
    axes.text(
        8.75, y_of(9) + 0.1, "A prediction asks the last step alone: audio is measured by the same sets,\n"
        "the row goes through the same estimator. No tracker is needed.",
        color=INK, fontsize=8.6, va="center",
    )  # fmt: skip
    figure.savefig(Path(__file__).parent / "img" / "architecture.png")


if __name__ == "__main__":
    main()
