"""A family whose library is not installed is refused in time, with what brings it."""

from __future__ import annotations

from importlib import metadata

import pytest

from ser_experiments import build_estimator, load_experiment
from ser_experiments.errors import InputError
from ser_experiments.models import spec


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing but the standard library be installed."""

    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    requirements = ['torch>=2.6; extra == "nets"', "xgboost-cpu>=3.0; (sys_platform == 'linux') and extra == 'cpu'"]
    monkeypatch.setattr(spec.metadata, "version", version)
    monkeypatch.setattr(spec.metadata, "requires", lambda _: requirements)


@pytest.mark.usefixtures("without")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "mlp_mfcc",
            r"mlp_mfcc.toml: model: 'mlp' needs torch, which is not here; say pip install 'ser_experiments\[nets\]'",
        ),
        ("xgb_lld", r"model: 'xgboost' needs xgboost-cpu, .*'ser_experiments\[cpu\]'"),
        ("lgbm_lld", "model: 'lightgbm' needs lightgbm, which is not here; say pip install lightgbm"),
    ],
)
def test_it_says_what_to_install(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_estimator(load_experiment(name))


@pytest.mark.usefixtures("without")
def test_what_needs_nothing_else_is_built() -> None:
    spec.check_libraries("svm")
