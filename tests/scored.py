"""Made-up predictions of every kind of task, by how good they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ser_experiments.evaluation.score import Score
from ser_experiments.evaluation.scoring import get_score, score_names
from ser_experiments.frames import Predictions
from ser_experiments.tasks.dimensions import Dimensions
from ser_experiments.tasks.votes import Votes, majority

CLASSES = ["anger", "happiness", "neutral", "sadness"]
DIMENSIONS = ("valence", "arousal")
#: Every score there is.
SCORES = score_names()


def of_classes(skill: float, seed: int, n_groups: int, n_rows: int) -> Predictions:
    """Return predictions of classes whose probabilities say the truth when `skill` is 1.

    The truth depends on the sizes alone, so that runs can be paired. With skill 0 a class is chosen by chance and
    believed in; with skill 1 nearly every row is right and as sure as it is right, and what is wrong is less sure.
    """
    truth_rng, rng = np.random.default_rng(99), np.random.default_rng(seed)
    sizes = [n_rows + 3 * group for group in range(n_groups)]
    truth = truth_rng.choice(4, sum(sizes))
    truth[:4] = range(4)
    right = rng.random(len(truth)) < 0.25 + 0.65 * skill
    chosen = np.where(right, truth, (truth + rng.integers(1, 4, len(truth))) % 4)
    told = 0.12 * skill * (right - right.mean())
    sure = np.clip(0.9 + told + rng.normal(0, 0.03, len(truth)), 0.8, 0.99)
    values = np.repeat((1 - sure)[:, None] / 3, 4, axis=1) + rng.dirichlet(np.full(4, 50), len(truth)) * 1e-3
    values[np.arange(len(truth)), chosen] = sure
    values /= values.sum(axis=1, keepdims=True)
    groups = np.repeat([f"s{group}" for group in range(n_groups)], sizes)
    frame = pd.DataFrame({"fold": groups, "speaker": groups, "session": "", "group": groups})
    frame["label"], frame["predicted"] = np.array(CLASSES)[truth], np.array(CLASSES)[values.argmax(axis=1)]
    for place, name in enumerate(CLASSES):
        frame[f"p_{name}"] = values[:, place]
    frame.index = pd.Index([f"u{i:04d}" for i in range(len(truth))], name="utterance_id")
    return Predictions.of_classes(frame, CLASSES)


def of_dimensions(skill: float, seed: int, n_groups: int, n_rows: int) -> Predictions:
    """Return predictions of two dimensions on a scale of 1 to 5, which follow the truth where `skill` is 1.

    The truth depends on the sizes alone, so that runs can be paired. Speakers lie higher or lower, and are predicted
    too high or too low.
    """
    truth_rng, rng = np.random.default_rng(99), np.random.default_rng(seed)
    sizes = [n_rows + 3 * group for group in range(n_groups)]
    place = np.repeat(np.arange(n_groups), sizes)
    truth = 3 + truth_rng.normal(0, 0.3, (n_groups, 2))[place] + truth_rng.normal(0, 0.7, (len(place), 2))
    noise = rng.normal(0, 0.2, (n_groups, 2))[place] + rng.normal(0, 0.5, truth.shape)
    values = 3 + skill * (truth - 3) + (1.2 - skill) * noise
    groups = np.array([f"s{group}" for group in range(n_groups)])[place]
    frame = pd.DataFrame({"fold": groups, "speaker": groups, "session": "", "group": groups})
    for place, name in enumerate(DIMENSIONS):  # type: ignore[assignment]
        frame[name], frame[f"predicted_{name}"] = truth[:, place], values[:, place]
    frame.index = pd.Index([f"u{i:04d}" for i in range(len(truth))], name="utterance_id")
    return Predictions(frame, Dimensions(DIMENSIONS))


def of_votes(skill: float, seed: int, n_groups: int, n_rows: int) -> Predictions:
    """Return predictions of the votes of five raters, which are nearer to them the greater `skill` is."""
    truth_rng, rng = np.random.default_rng(98), np.random.default_rng(seed)
    sizes = [n_rows + 3 * group for group in range(n_groups)]
    shares = truth_rng.multinomial(5, truth_rng.dirichlet(np.full(4, 0.5), sum(sizes))) / 5
    values = (0.05 + 0.85 * skill) * shares + (0.95 - 0.85 * skill) * rng.dirichlet(np.ones(4), len(shares))
    values /= values.sum(axis=1, keepdims=True)
    groups = np.repeat([f"s{group}" for group in range(n_groups)], sizes)
    frame = pd.DataFrame({"fold": groups, "speaker": groups, "session": "", "group": groups})
    task = Votes(tuple(CLASSES))
    frame = frame.assign(**dict(zip(task.share_columns, shares.T, strict=True)), label=majority(CLASSES, shares))
    frame = frame.assign(**task.decisions(values), **dict(zip(task.columns, values.T, strict=True)))
    frame.index = pd.Index([f"u{i:04d}" for i in range(len(shares))], name="utterance_id")
    return Predictions(frame, task)


#: A new kind of task needs a line here; without it the tests of its scores fail.
MAKERS: dict[str, Callable[[float, int, int, int], Predictions]] = {
    "classes": of_classes,
    "dimensions": of_dimensions,
    "votes": of_votes,
}


def predictions_for(
    score: str | Score, *, skill: float = 0.6, seed: int = 0, n_groups: int = 6, n_rows: int = 24
) -> Predictions:
    """Return predictions of the first kind of task that a score is for."""
    return MAKERS[get_score(score).kinds[0]](skill, seed, n_groups, n_rows)


def some(predictions: Predictions, groups: list[str]) -> Predictions:
    """Return the rows of groups, each as often as it is named."""
    parts = [predictions.frame[predictions.frame["speaker"] == group] for group in groups]
    frame = pd.concat([part.rename(index=lambda one, n=n: f"{one}/{n}") for n, part in enumerate(parts)])
    return Predictions(frame, predictions.task)
