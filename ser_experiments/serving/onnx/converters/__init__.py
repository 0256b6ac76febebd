"""How types are written in ONNX: each module names some in ``CONVERTERS``."""
