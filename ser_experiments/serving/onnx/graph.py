"""A graph of ONNX while it grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.errors import InputError

if TYPE_CHECKING:
    import onnx

#: What everybody's runtime knows: operators of 2022, those of trees and their file format.
OPSET, OPSET_ML, IR = 18, 3, 8
ML = "ai.onnx.ml"
#: The one input, and the one output.
FEATURES, VALUES = "features", "values"


class Said(NamedTuple):
    """What an estimator says, as names in the graph.

    Parameters
    ----------
    values : str
        Probabilities of its classes, or numbers, of shape (n_rows, n_targets), float64.
    scores : str, optional
        What a temperature divides: its decision function; by default the logarithm of the probabilities.
    """

    values: str
    scores: str | None = None


#: Writes an estimator: it, the graph and the name of its input are given; a step gives the name of its output.
Converter = Callable[[Any, "Graph", str], "Said | str"]


class Graph:
    """Nodes and constants.

    Parameters
    ----------
    columns : sequence of str
        Of the feature table.
    converters : mapping of str to Converter
        By the full name of the type.
    """

    def __init__(self, columns: Sequence[str], converters: dict[str, Converter]) -> None:
        self.columns = list(columns)
        self._converters = converters
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output, and return the name of that."""
        from onnx import helper

        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, domain=domain, **attributes))
        return name

    def constant(self, values: NDArray[Any] | Sequence[Any] | float, dtype: Any = np.float64) -> str:
        """Add a constant, and return its name."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), name))
        return name

    def cast(self, name: str, dtype: Any) -> str:
        """Return the same in another type."""
        from onnx import helper

        return self.add("Cast", name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def take(self, name: str, places: Sequence[int] | NDArray[Any]) -> str:
        """Return some columns."""
        return self.add("Gather", name, self.constant(places, np.int64), axis=1)

    def linear(self, name: str, weights: NDArray[Any], intercept: NDArray[Any] | float = 0.0) -> str:
        """Return rows times weights of shape (n_columns, n_outputs), plus an intercept of each output."""
        product = self.add("MatMul", name, self.constant(weights))
        return self.add("Add", product, self.constant(np.atleast_1d(intercept)))

    def softmax(self, scores: str) -> str:
        """Return probabilities of scores."""
        return self.add("Softmax", scores, axis=1)

    def of_one_margin(self, margin: str) -> Said:
        """Return what a classifier of two classes says by its margin, shape (n_rows, 1)."""
        second = self.add("Sigmoid", margin)
        first = self.add("Sub", self.constant([1.0]), second)
        return Said(self.add("Concat", first, second, axis=1))

    def halves(self, margin: str) -> str:
        """Return the two scores whose difference is a margin of shape (n_rows, 1)."""
        half = self.add("Mul", margin, self.constant([0.5]))
        return self.add("Concat", self.add("Neg", half), half, axis=1)

    def aligned(self, name: str, present: Sequence[str], targets: Sequence[str]) -> str:
        """Put columns in the order of the targets; those that are not present are zero."""
        present, targets = list(map(str, present)), list(targets)
        if present == targets:
            return name
        zeros = self.add("Mul", self.take(name, [0]), self.constant([0.0]))
        wider = self.add("Concat", name, zeros, axis=1)
        return self.take(wider, [present.index(one) if one in present else len(present) for one in targets])

    def step(self, estimator: Any, name: str) -> str:
        """Write a step, and return the name of its output."""
        found = self._written(estimator, name)
        if isinstance(found, Said):
            raise InputError(f"{type(estimator).__name__} stands where a step is expected")
        return found

    def said(self, estimator: Any, name: str) -> Said:
        """Write an estimator that answers."""
        found = self._written(estimator, name)
        if isinstance(found, str):
            raise InputError(f"{type(estimator).__name__} answers nothing")
        return found

    def _written(self, estimator: Any, name: str) -> Said | str:
        for one in type(estimator).__mro__:
            converter = self._converters.get(f"{one.__module__}.{one.__qualname__}")
            if converter is not None:
                return converter(estimator, self, name)
        raise InputError(f"{type(estimator).__name__} cannot be written in ONNX; export without --onnx")
