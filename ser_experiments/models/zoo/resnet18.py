"""ResNet-18: :mod:`ser_experiments.models.zoo.resnet` with ``depth = 18``, the name that definitions know it by."""

from ser_experiments.models.zoo.resnet import spec_of

SPEC = spec_of(18)
