"""From the words of a definition to one scikit-learn estimator on a feature table.

Everything that learns from data stands inside the pipeline, so it is fitted on training rows alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from sklearn.base import BaseEstimator, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from ser_experiments.errors import InputError, nearest
from ser_experiments.models.augmented import Augmented
from ser_experiments.models.clipping import ClipScaled
from ser_experiments.models.grouping import BalanceBlocks, OnFeatures, TakeColumns, columns_of, outputs_of
from ser_experiments.models.missing import FillMissing
from ser_experiments.models.numbers import EachTarget, Matched
from ser_experiments.models.selection import SelectColumns
from ser_experiments.models.spec import Learning, ModelSpec, families, get_model
from ser_experiments.models.temperature import TemperatureScaled
from ser_experiments.task import Learns

#: Values of ``scale``.
SCALERS: dict[str, Callable[[], BaseEstimator] | None] = {
    "none": None,
    "standard": StandardScaler,
    "robust": RobustScaler,
    "quantile": lambda: QuantileTransformer(n_quantiles=100, output_distribution="normal"),
}
#: Values of ``calibrate`` by what is learned: classes get probabilities, numbers the spread of the truth.
CALIBRATIONS: Mapping[str, Mapping[str, Callable[[BaseEstimator], BaseEstimator]]] = {
    "labels": {"none": lambda estimator: estimator, "temperature": TemperatureScaled},
    "numbers": {"none": lambda estimator: estimator, "temperature": Matched},
}


def build_pipeline(
    model: str,
    params: Mapping[str, object] | None = None,
    *,
    sets: Sequence[str] = (),
    set_params: Mapping[str, Mapping[str, object]] | None = None,
    scale: str = "standard",
    clip: float | None = None,
    select: int | None = None,
    balance: bool = False,
    calibrate: str | None = None,
    augment: Sequence[str] = (),
    random_state: int | None = 0,
    learns: Learns = "labels",
) -> BaseEstimator:
    """Build an unfitted estimator that takes a feature table with its ``group`` column.

    Parameters
    ----------
    model : str
        A family of :mod:`ser_experiments.models.zoo`.
    params : mapping, optional
        Parameters of the family.
    sets : sequence of str
        Feature sets whose columns it takes; none means all columns of the table.
    set_params : mapping of str to mapping, optional
        Parameters of the feature sets where they differ from the defaults.
    scale : {"standard", "robust", "quantile", "none"}
        How functionals are scaled; arrays over time are scaled by their networks.
    clip : float, optional
        Scaled numbers beyond so many standard deviations count as so many; not of ``scale="none"``.
    select : int, optional
        Keep this many columns by their ANOVA F value.
    balance : bool, default=False
        Weigh the feature sets equally, whatever their numbers of columns.
    calibrate : {"none", "temperature"}, optional
        Calibration on inner folds that keep groups apart: of classes their probabilities, by one temperature; of
        numbers their mean and spread (:class:`~ser_experiments.models.numbers.Matched`). By default none of classes,
        and of numbers what the family asks for.
    augment : sequence of str
        Views of the recordings that are trained on beside them; the table must hold their columns.
    random_state : int, optional
        Seed of families that have one.
    learns : {"labels", "numbers"}
        What the truth is, see :mod:`ser_experiments.task`.

    Raises
    ------
    InputError
        The family cannot learn that. Unknown family, parameter or option; the nearest name is given.
    """
    spec = get_model(model)
    _check("scale", scale, SCALERS)
    calibrations = CALIBRATIONS[learns]
    if calibrate is None:
        way = spec.ways.get(learns)
        calibrate = "temperature" if way is not None and way.matched else "none"
    _check("calibrate", calibrate, calibrations)
    if clip is not None:
        _check_clip(clip, scale, spec.layout)
    if select is not None and not (isinstance(select, int) and select >= 1):
        raise InputError(f"pipeline: select must be a number of columns, at least 1, got {select!r}")
    steps: list[tuple[str, BaseEstimator]] = [
        (
            "columns",
            TakeColumns(
                tuple(sets),
                layout=spec.layout,
                keep_group=spec.reads_group,
                params={name: dict(given) for name, given in (set_params or {}).items() if given} or None,
            ),
        )
    ]
    if balance and (len(sets) < 2 or select is not None or spec.layout != "row"):
        raise InputError("pipeline: balance is for two or more sets of functionals, without select")
    if spec.layout == "row":
        sizes = tuple(map(len, columns_of(sets, set_params))) if balance else ()
        steps += _preparation(spec, scale, clip, select, sizes, learns)
    if spec.from_features is not None and sets:
        params = {**spec.from_features(outputs_of(sets, set_params)), **(params or {})}
    steps.append(("model", build_model(model, params, random_state=random_state, learns=learns)))
    pipeline: BaseEstimator = Pipeline(steps)
    if augment:
        pipeline = Augmented(pipeline, tuple(augment))
    return calibrations[calibrate](pipeline)


def build_model(
    model: str,
    params: Mapping[str, object] | None = None,
    *,
    random_state: int | None = 0,
    learns: Learns = "labels",
) -> BaseEstimator:
    """Build the estimator of a family, as it stands at the end of a pipeline; see :func:`build_bare`."""
    bare = build_bare(model, params, random_state=random_state, learns=learns)
    return WRAPPED[learns](bare, _way(model, learns))


def build_bare(
    model: str,
    params: Mapping[str, object] | None = None,
    *,
    random_state: int | None = 0,
    learns: Learns = "labels",
) -> BaseEstimator:
    """Build the bare estimator of a family.

    An unknown parameter is an InputError with the nearest name; so are a value that the family does not take and a
    truth that it cannot learn. What a definition says of parameters that mean nothing to a regressor, such as weights
    of classes, is left out.
    """
    way = _way(model, learns)
    known = {*way.params()}
    allowed = {*known, *way.without}
    for key in params or {}:
        if key not in allowed:
            raise InputError(f"model: unknown {key!r} for {model!r}{nearest(key, allowed)}")
    settings = {name: value for name, value in (params or {}).items() if name not in way.without}
    if "random_state" in known:
        settings.setdefault("random_state", random_state)
    _check_weights(settings.get("class_weight"))
    _check_sizes(settings)
    # A value that a fit would refuse is refused before anything is measured.
    try:
        _refuse_truth_for_numbers(way.build().get_params(), settings)
        estimator = way.build(**settings)
        if hasattr(estimator, "_parameter_constraints"):
            estimator._validate_params()
    except (InvalidParameterError, InputError) as error:
        raise InputError(f"model: {' '.join(str(error).split())}") from error
    return estimator


def meaningless(model: str, learns: Learns) -> tuple[str, ...]:
    """Return the parameters of a family that mean nothing to what is learned."""
    way = get_model(model).ways.get(learns)
    return () if way is None else way.without


#: What is put around a family's estimator, by what is learned.
WRAPPED: Mapping[str, Callable[[BaseEstimator, Learning], BaseEstimator]] = {
    "labels": lambda estimator, way: estimator,
    "numbers": lambda estimator, way: EachTarget(estimator, way.several),
}


def _way(model: str, learns: Learns) -> Learning:
    """Return how a family learns something; an InputError where it cannot."""
    way = get_model(model).ways.get(learns)
    if way is None:
        able = [name for name, one in families() if learns in one.ways]
        raise InputError(f"model: {model!r} cannot learn {learns}; families that can: {', '.join(able)}")
    return way


def _check_sizes(settings: Mapping[str, object]) -> None:
    """Refuse whole numbers that no library can hold."""
    for name, value in settings.items():
        most = 2**32 if name == "random_state" else 2**31
        if isinstance(value, int) and not -(2**31) < value < most:
            raise InputError(f"model: {name} must be below {most}, got {value}")


def _refuse_truth_for_numbers(usual: Mapping[str, object], settings: Mapping[str, object]) -> None:
    """Refuse true and false where a number belongs: Python counts them as 1 and 0, and so do many checks."""
    for name, value in settings.items():
        number = isinstance(usual.get(name), int | float) and not isinstance(usual[name], bool)
        if number and isinstance(value, bool):
            raise InputError(f"{name} must be a number, got {str(value).lower()}")


def _check_weights(weights: object) -> None:
    """Refuse weights by class that are no numbers; whether every class has one is known with the corpus."""
    if weights is not None and not isinstance(weights, str | Mapping):
        raise InputError(f"model: class_weight must be 'balanced' or a weight for each class, got {weights!r}")
    if isinstance(weights, Mapping):
        for name, weight in weights.items():
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
                raise InputError(f"model: class_weight of {name!r} must be a number of at least 0, got {weight!r}")


def require_probabilities(estimator: BaseEstimator, model: str) -> None:
    """Refuse an unfitted estimator that could be fitted on every fold and then not be asked for probabilities.

    Raises
    ------
    InputError
        It has none; where calibration would give them, the message says so.
    """
    if hasattr(estimator, "predict_proba") or is_regressor(estimator):
        return
    cure = "choose another model"
    if hasattr(estimator, "decision_function"):
        cure = "say [pipeline] calibrate = 'temperature' (--set pipeline.calibrate=temperature)"
    raise InputError(f"model: {model!r} gives no probabilities by itself; {cure}")


def _preparation(
    spec: ModelSpec, scale: str, clip: float | None, select: int | None, sizes: tuple[int, ...], learns: Learns
) -> list[tuple[str, BaseEstimator]]:
    steps: list[tuple[str, BaseEstimator]] = [("impute", FillMissing())]
    scaler = SCALERS[scale]
    if scaler is not None:
        steps.append(("scale", scaler()))
    if clip is not None:
        steps.append(("clip", ClipScaled(float(clip))))
    if sizes:
        steps.append(("balance", BalanceBlocks(sizes)))
    if select is not None:
        steps.append(("select", SelectColumns(k=select, learns=learns)))
    if spec.reads_group:
        return [(name, OnFeatures(step)) for name, step in steps]
    return steps


def _check_clip(clip: object, scale: str, layout: str) -> None:
    number = isinstance(clip, int | float) and not isinstance(clip, bool)
    if not number or not 0 < float(clip) < math.inf:  # type: ignore[arg-type]
        raise InputError(f"pipeline: clip must be a number of standard deviations above 0, got {clip!r}")
    if scale == "none" or layout != "row":
        raise InputError("pipeline: clip is for functionals that are scaled")


def _check(option: str, value: str, allowed: Mapping[str, object]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise InputError(f"pipeline: {option} is {value!r}{nearest(str(value), allowed)}")
