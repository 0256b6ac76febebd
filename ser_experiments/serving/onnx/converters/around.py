"""What is put around estimators: pipelines, temperatures, votes, targets, ensembles."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from ser_experiments.errors import InputError
from ser_experiments.models.ensemble import LogLinearPool
from ser_experiments.serving.onnx.graph import Graph, Said

#: Probabilities below this count as this much: where a temperature, and where a pool takes logarithms.
_LEAST, _FLOOR = 1e-12, 1e-4


def _pipeline(pipeline: Any, graph: Graph, name: str) -> Said | str:
    for _, step in pipeline.steps[:-1]:
        name = graph.step(step, name)
    return graph.said(pipeline.steps[-1][1], name)


def _within(wrapper: Any, graph: Graph, name: str) -> Said:
    return graph.said(wrapper.estimator_, name)


def _temperature(wrapper: Any, graph: Graph, name: str) -> Said:
    told = graph.said(wrapper.estimator_, name)
    scores = told.scores or _log(graph, told.values, _LEAST)
    divided = graph.add("Div", scores, graph.constant([wrapper.temperature_]))
    return Said(graph.softmax(divided), divided)


def _shares(wrapper: Any, graph: Graph, name: str) -> Said:
    inner = wrapper.estimator_
    return Said(graph.aligned(graph.said(inner, name).values, inner.classes_, wrapper.classes))


def _each_target(wrapper: Any, graph: Graph, name: str) -> Said:
    found = [graph.said(one, name).values for one in wrapper.estimators_]
    together = graph.add("Concat", *found, axis=1)
    scaled = graph.add("Mul", together, graph.constant(wrapper.scale_))
    return Said(graph.add("Add", scaled, graph.constant(wrapper.mean_)))


def _matched(wrapper: Any, graph: Graph, name: str) -> Said:
    return Said(_on_a_line(wrapper, graph, graph.said(wrapper.estimator_, name).values))


def _on_a_line(wrapper: Any, graph: Graph, told: str) -> str:
    straight = graph.add(
        "Add", graph.add("Mul", told, graph.constant(wrapper.slope_)), graph.constant(wrapper.intercept_)
    )
    above = graph.add("Max", straight, graph.constant(wrapper.ends_[0]))
    return graph.add("Min", above, graph.constant(wrapper.ends_[1]))


def _average(ensemble: Any, graph: Graph, name: str) -> Said:
    told = [graph.said(one, name).values for one in ensemble.estimators_]
    return Said(_weighted(graph, told, [1 / len(told)] * len(told)))


def _stack(ensemble: Any, graph: Graph, name: str) -> Said:
    pool = ensemble.final_estimator_
    if not isinstance(pool, LogLinearPool):
        raise InputError(f"a stack with {type(pool).__name__} cannot be written in ONNX; export without --onnx")
    logs = [_log(graph, graph.said(one, name).values, _FLOOR) for one in ensemble.estimators_]
    return Said(graph.softmax(_weighted(graph, logs, pool.weights_)))


def _stack_of_numbers(ensemble: Any, graph: Graph, name: str) -> Said:
    told = [graph.said(one, name).values for one in ensemble.estimators_]
    return Said(_on_a_line(ensemble, graph, _weighted(graph, told, ensemble.weights_)))


def _weighted(graph: Graph, parts: list[str], weights: Any) -> str:
    weighted = [graph.add("Mul", part, graph.constant([one])) for part, one in zip(parts, weights, strict=True)]
    # Runtimes have no sum of several inputs in float64.
    return reduce(lambda so_far, one: graph.add("Add", so_far, one), weighted)


def _log(graph: Graph, probabilities: str, least: float) -> str:
    kept = graph.add("Clip", probabilities, graph.constant(np.array(least)), graph.constant(np.array(1.0)))
    return graph.add("Log", kept)


CONVERTERS = {
    "sklearn.pipeline.Pipeline": _pipeline,
    # Whatever wraps an estimator, and says no more than that: views, searches, kept fits.
    "ser_experiments.models.augmented.Augmented": _within,
    "ser_experiments.models.remember.Remembered": _within,
    "ser_experiments.models.tuned.Tuned": _within,
    "ser_experiments.models.temperature.TemperatureScaled": _temperature,
    "ser_experiments.models.shares.FromShares": _shares,
    "ser_experiments.models.numbers.EachTarget": _each_target,
    "ser_experiments.models.numbers.Matched": _matched,
    "ser_experiments.models.ensemble.AverageOfMembers": _average,
    "ser_experiments.models.ensemble.StackOfMembers": _stack,
    "ser_experiments.models.number_ensemble.AverageOfNumbers": _average,
    "ser_experiments.models.number_ensemble.StackOfNumbers": _stack_of_numbers,
}
