"""A fitted estimator in ONNX: from the columns of a feature table to its answers.

Each file of ``converters/`` says of some types how they are written. Numbers are taken as our own code takes them:
steps hand on float32, and scores are sums in float64, so that what comes out differs by rounding alone.
"""

from ser_experiments.serving.onnx.convert import to_onnx, write_onnx

__all__ = ["to_onnx", "write_onnx"]
