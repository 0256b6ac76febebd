"""Write the estimator of a model in ONNX."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ser_experiments import plugins
from ser_experiments.errors import InputError
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.onnx.graph import FEATURES, IR, ML, OPSET, OPSET_ML, VALUES, Converter, Graph

if TYPE_CHECKING:
    import onnx

_CONVERTERS = "ser_experiments.serving.onnx.converters"


def write_onnx(model: AudioModel, path: Path) -> None:
    """Write the estimator of a model to a file.

    Raises
    ------
    InputError
        A part of it cannot be written, or the package is not installed.
    """
    path.write_bytes(to_onnx(model).SerializeToString())


def to_onnx(model: AudioModel) -> onnx.ModelProto:
    """Return the estimator of a model in ONNX.

    Its input ``features`` is the feature table of the model's sets without ``group``, float32, shape (n_rows,
    n_columns), NaN where a value is missing; its output ``values`` has a number for each target, float64, shape
    (n_rows, n_targets). Their names stand in the metadata as ``columns`` and ``targets``, JSON lists.

    Raises
    ------
    InputError
        A part of it cannot be written, or the package is not installed.
    """
    if importlib.util.find_spec("onnx") is None:
        raise InputError("--onnx needs the package: pip install 'ser_experiments[onnx]'")
    if model.normalization.kind != "none":
        raise InputError(f"a model that is normalised by speaker ({model.normalization}) is more than its estimator; "
                         "export without --onnx")  # fmt: skip
    from onnx import TensorProto, checker, helper

    columns = [column for extractor in model.extractors() for column in extractor.column_names]
    targets = list(model.task.targets)
    graph = Graph(columns, converters())
    values = graph.said(model.estimator, FEATURES).values
    if hasattr(model.estimator, "classes_"):
        values = graph.aligned(values, model.estimator.classes_, targets)
    graph.nodes.append(helper.make_node("Identity", [values], [VALUES]))
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "estimator",
            [helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, ["n_rows", len(columns)])],
            [helper.make_tensor_value_info(VALUES, TensorProto.DOUBLE, ["n_rows", len(targets)])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(ML, OPSET_ML)],
        ir_version=IR,
        producer_name="ser_experiments",
    )
    helper.set_model_props(made, {"columns": json.dumps(columns), "targets": json.dumps(targets)})
    checker.check_model(made)
    return made


def converters() -> dict[str, Converter]:
    """Return how each type is written, by its full name."""
    found: dict[str, Converter] = {}
    for _, module in plugins.each(_CONVERTERS, "converter", holds="CONVERTERS"):
        found |= module.CONVERTERS
    return found
