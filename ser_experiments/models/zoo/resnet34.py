"""ResNet-34 on log-mel spectrograms, trained by SGD with momentum; for a GPU, or narrow on a CPU."""

from __future__ import annotations

from dataclasses import dataclass

from ser_experiments.models.nets.estimator import parameter_names
from ser_experiments.models.nets.residual import ResidualClassifier
from ser_experiments.models.spec import ModelSpec


@dataclass(kw_only=True, eq=False, repr=False)
class ResNet34Classifier(ResidualClassifier):
    """Three, four, six and three blocks a stage; see :class:`ResidualClassifier`."""

    _depths = (3, 4, 6, 3)


SPEC = ModelSpec(
    build=ResNet34Classifier,
    params=lambda: parameter_names(ResNet34Classifier),
    estimator="ser_experiments.models.zoo.resnet34.ResNet34Classifier",
    libraries=("torch",),
    layout="array",
    reads_group=True,
    trusted_types=("ser_experiments.models.zoo.resnet34.ResNet34Classifier",),
)
