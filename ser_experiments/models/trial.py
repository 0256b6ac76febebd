"""Try a family's parameters on a handful of made-up rows: what no fit takes is said before anything is measured.

Every parameter is checked where the estimator is built. What depends on several of them, on the number of classes or on
the library underneath shows in a fit only.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral, Real

import numpy as np
import pandas as pd

from ser_experiments.errors import InputError, nearest
from ser_experiments.frames import GROUP
from ser_experiments.models.pipeline import build_bare, meaningless
from ser_experiments.models.spec import get_model
from ser_experiments.task import Learns

#: Rows of each class, and columns.
_ROWS, _COLUMNS = 40, 50
#: Steps of a fit that has no limit of its own.
_MOST_STEPS = 100_000
#: Parameters that only say how much is done, and what does for a trial.
_SMALL = {"n_estimators": 3, "max_iter": 200, "n_epochs": 1, "max_samples": 2 * _ROWS}


def try_out(model: str, params: Mapping[str, object], targets: Sequence[str], *, learns: Learns = "labels") -> None:
    """Fit a bare estimator on rows of noise, and ask it.

    Networks are not fitted: importing torch takes longer than everything else before a run. They check their parameters
    themselves.

    Parameters
    ----------
    model : str
        A family of functionals.
    params : mapping
        Its parameters, as a definition gives them.
    targets : sequence of str
        What it is to tell apart, or the dimensions.
    learns : {"labels", "numbers"}
        What the truth is.

    Raises
    ------
    InputError
        It cannot be fitted, or does not answer; one line with the parameters and the reason.
    """
    spec = get_model(model)
    params = {name: value for name, value in params.items() if name not in meaningless(model, learns)}
    weights = params.get("class_weight")
    strange = sorted(set(map(str, weights)) - set(targets)) if isinstance(weights, Mapping) else []
    if strange:
        raise InputError(f"model: class_weight names {strange[0]!r}, which is no class{nearest(strange[0], targets)}")
    if "torch" in spec.libraries:
        device = params.get("device", "auto")
        if device not in ("auto", "cpu"):
            from ser_experiments.models.nets.devices import choose_device

            choose_device(str(device))
        return
    if spec.layout != "row":
        return
    _check_kinds(model, params, learns)
    rng = np.random.default_rng(0)
    labels = np.repeat(np.asarray(targets, dtype=str), _ROWS)
    rows = pd.DataFrame(rng.normal(size=(len(labels), _COLUMNS)).astype(np.float32)).add_prefix("x")
    places = (labels[:, None] == np.asarray(targets)).argmax(axis=1)
    rows += places[:, None]
    made_up = {"labels": lambda: labels, "numbers": lambda: rng.normal(size=len(labels)) + places}
    truth = made_up[learns]()
    rows[GROUP] = np.resize(list("abcd"), len(labels))
    # Estimators that read no group take numbers alone.
    X = rows if spec.reads_group else rows.drop(columns=GROUP).to_numpy()
    estimator = build_bare(model, {name: _small(name, value) for name, value in params.items()}, learns=learns)
    # A search for the optimum that may go on for ever: the rows of a trial take it some hundred steps.
    endless = estimator.get_params().get("max_iter") == -1
    if endless:
        estimator.set_params(max_iter=_MOST_STEPS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = estimator.fit(X, truth)
            asked = next(name for name in ("predict_proba", "decision_function", "predict") if hasattr(fitted, name))
            answers = np.asarray(getattr(fitted, asked)(X))
    except InputError:
        raise
    except Exception as error:  # whatever a library says of what it was told
        said = (" ".join(str(error).split()) or type(error).__name__)[:300]
        raise InputError(f"model: {model!r} cannot be fitted with {_shown(params)}: {said}") from error
    if endless and np.max(fitted.n_iter_) >= _MOST_STEPS:
        raise InputError(f"model: {model!r} finds no end with {_shown(params)}: raise tol")
    if not np.isfinite(answers).all():
        raise InputError(f"model: {model!r} answers NaN or infinity with {_shown(params)}; change them")


def _check_kinds(model: str, params: Mapping[str, object], learns: Learns) -> None:
    """Refuse true or false where a number belongs: libraries take them for 1 and 0, and say nothing."""
    usual = build_bare(model, {}, learns=learns).get_params()
    for name, value in params.items():
        known = usual.get(name, "")
        if isinstance(value, bool) and (known is None or (isinstance(known, Real) and not isinstance(known, bool))):
            raise InputError(f"model: {name} = {str(value).lower()}; expected a number, e.g. {known or 1}")


def _small(name: str, value: object) -> object:
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    return min(int(value), _SMALL[name]) if name in _SMALL and whole else value  # type: ignore[call-overload]


def _shown(params: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in params.items()) or "its defaults"
