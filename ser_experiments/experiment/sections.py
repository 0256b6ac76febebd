"""What a definition may say, section by section, and whether what it says is so: unknown words are refused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ser_experiments import plugins
from ser_experiments.errors import InputError, nearest
from ser_experiments.features.extractor import params_of, set_of
from ser_experiments.features.views import check_view
from ser_experiments.features.wanted import check_name
from ser_experiments.words import cut

#: Values of ``type`` where a definition has ``members``.
ENSEMBLES = ("average", "stack")


class Section(BaseModel):
    """A section of a definition: frozen, and nothing in it is taken for something else."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


#: TOML has lists; a definition is frozen.
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)]


class Features(Section):
    """``[features]``: which feature sets, and their parameters where they differ from the defaults."""

    sets: Names = Field(default=(), description="feature sets, e.g. ['lld']")
    params: dict[str, dict[str, Any]] = Field(default_factory=dict, description="[features.params.SET]")
    augment: Names = Field(default=(), description="views trained on beside the recordings, e.g. ['noise', 'speed']")


class Pipeline(Section):
    """``[pipeline]``: what stands between the table and the model."""

    scale: Literal["standard", "robust", "quantile", "none"] = "standard"
    clip: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="standard deviations at which scaled columns are cut off",
    )
    select: int | None = Field(default=None, ge=1, description="columns kept by their ANOVA F value")
    balance: bool = Field(default=False, description="weigh the feature sets equally")
    calibrate: Literal["none", "temperature"] = "none"

    @property
    def said_calibrate(self) -> str | None:
        """Return ``calibrate`` where the definition says it; otherwise what is predicted decides."""
        return self.calibrate if "calibrate" in self.model_fields_set else None


class Search(Section):
    """``[search]``: parameters that are chosen inside each training fold."""

    trials: int = Field(default=25, ge=1, le=10_000)
    folds: int = Field(default=3, ge=2, le=100, description="inner folds, groups kept apart")
    space: dict[str, Any] = Field(description="[search.space]: ranges or choices by 'model.NAME' or 'pipeline.NAME'")


class Model(BaseModel):
    """``[model]``: a family by ``type``; every other key is a parameter of the family."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    type: str

    @property
    def params(self) -> dict[str, Any]:
        """Return the parameters of the family."""
        return dict(self.model_extra or {})


class Definition(Section):
    """One experiment.

    Parameters
    ----------
    description : str
        One line for ``ser list``.
    members : tuple of str
        Of an ensemble: the experiments it combines; they bring their own features and pipelines.
    features, pipeline, model, search
        The sections of the file.
    """

    description: str = ""
    members: Names = Field(default=(), description="experiments that an ensemble combines")
    features: Features = Features()
    pipeline: Pipeline = Pipeline()
    model: Model
    search: Search | None = None


def parse_definition(raw: Mapping[str, Any], where: str) -> Definition:
    """Check a parsed TOML against the definition; `where` begins each message."""
    for place, value in _values(raw):
        if isinstance(value, date | time) or (isinstance(value, float) and math.isnan(value)):
            raise InputError(
                f"{where}: {' '.join(place.split())} is {value}; it must be a number, text, true or false, or a list "
                "of such"
            )
    try:
        definition = Definition.model_validate(raw)
    except ValidationError as error:
        raise InputError(f"{where}: {_first_problem(error)}") from error
    _check_names(definition, where)
    return definition


def _values(held: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Yield what stands at the ends of a parsed TOML, and where."""
    if isinstance(held, Mapping):
        for key, below in held.items():
            yield from _values(below, f"{place}.{key}" if place else str(key))
    elif isinstance(held, list | tuple):
        for below in held:
            yield from _values(below, place)
    else:
        yield place, held


def _check_names(definition: Definition, where: str) -> None:
    known = plugins.names("ser_experiments.features.sets")
    for name in (*definition.features.sets, *definition.features.params):
        if set_of(name) not in known:
            raise InputError(f"{where}: features: unknown feature set {name!r}{nearest(name, known)}")
        try:
            check_name(name, params_of(name, definition.features.params))
        except InputError as error:
            raise InputError(f"{where}: features: {error}") from error
    for view in definition.features.augment:
        try:
            check_view(view)
        except InputError as error:
            raise InputError(f"{where}: features: {error}") from error
    if len(set(definition.features.augment)) != len(definition.features.augment):
        raise InputError(f"{where}: features: augment names a view twice; a second draw of one is e.g. 'noise-2'")
    kind = definition.model.type
    families = ENSEMBLES if definition.members else plugins.names("ser_experiments.models.zoo")
    if kind in ENSEMBLES and not definition.members:
        raise InputError(f"{where}: model: type {kind!r} needs members; add e.g. members = ['svm_lld', 'xgb_lld']")
    if kind not in families:
        raise InputError(f"{where}: model: unknown type {kind!r}{nearest(kind, families)}")
    if definition.members and definition.search:
        raise InputError(f"{where}: search: an ensemble has none of its own; tune its members")
    if definition.members and (definition.features.sets or definition.features.augment):
        raise InputError(f"{where}: features: an ensemble has none of its own; its members bring theirs")
    if len(set(definition.members)) != len(definition.members):
        raise InputError(f"{where}: members: {list(definition.members)} names one twice; each counts once")


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    place = [str(part) for part in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        section = _section(place[:-1])
        allowed = section.model_fields if section else {}
        return ": ".join([*place[:-1], f"unknown key {place[-1]!r}{nearest(place[-1], allowed)}"])
    if problem["type"] == "missing":
        return ": ".join([*place[:-1], f"{place[-1]!r} is missing; add it"])
    message = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{'.'.join(place)}: {message}, got {cut(repr(problem['input']), 200)}"


def _section(place: Sequence[str]) -> type[BaseModel] | None:
    section: type[BaseModel] = Definition
    for part in place:
        found = section.model_fields.get(part)
        if found is None or not (isinstance(found.annotation, type) and issubclass(found.annotation, BaseModel)):
            return None
        section = found.annotation
    return section
