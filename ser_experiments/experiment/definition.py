"""The definition of an experiment: one TOML file, parsed once, frozen, with unknown keys refused."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ser_experiments import plugins, project
from ser_experiments.errors import InputError, nearest
from ser_experiments.experiment.lookup import experiment_names, place_of
from ser_experiments.features.extractor import params_of, set_of
from ser_experiments.features.views import check_view
from ser_experiments.features.wanted import check_name
from ser_experiments.files import WRITTEN, Unreadable, parse_toml, read_text
from ser_experiments.shown import html, named
from ser_experiments.words import check_word, cut

__all__ = ["Definition", "Experiment", "experiment_names", "load_experiment", "parse_definition"]

#: Values of ``type`` where a definition has ``members``.
ENSEMBLES = ("average", "stack")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


#: Characters of a value of ``--set``: a folder's name at most.
_LONGEST_VALUE = 4096
#: What begins a change of an ensemble's members.
MEMBERS = "members."

#: TOML has lists; a definition is frozen.
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)]


class Features(_Section):
    """``[features]``: which feature sets, and their parameters where they differ from the defaults."""

    sets: Names = Field(default=(), description="feature sets, e.g. ['lld']")
    params: dict[str, dict[str, Any]] = Field(default_factory=dict, description="[features.params.SET]")
    augment: Names = Field(default=(), description="views trained on beside the recordings, e.g. ['noise', 'speed']")


class Pipeline(_Section):
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


class Search(_Section):
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


class Definition(_Section):
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


class Experiment(_Section):
    """A definition with its name, the text it was read from, where its members lie, and what was changed for a run.

    Members are looked for in ``folder``, in those of ``then``, and among the shipped definitions. What was changed of
    them, of all that it concerns, is in ``of_members``.
    """

    name: str
    definition: Definition
    text: str
    folder: Path
    then: tuple[Path, ...] = ()
    changes: str = ""
    of_members: dict[str, Any] = Field(default_factory=dict)

    def __repr__(self) -> str:
        """Return what it is in a line."""
        made_of = self.definition.members or self.definition.features.sets
        word = "of" if self.definition.members else "on"
        changed = f"; {self.changes}" if self.changes else ""
        return f"Experiment {self.name}: {self.definition.model.type} {word} {named(made_of)}{changed}"

    def _repr_html_(self) -> str:
        facts = {
            "model": self.definition.model.type,
            **self.definition.model.params,
            "features": named(self.definition.features.sets),
            "members": named(self.definition.members),
            "changed": self.changes,
        }
        return html(f"Experiment {self.name}", facts, notes=filter(None, [self.definition.description]))

    def overrides_of(self, member: Definition) -> dict[str, Any]:
        """Return the changes that concern a member: parameters of a feature set only those that take the set."""
        sets = {set_of(name) for name in member.features.sets}
        return {key: value for key, value in self.of_members.items() if _concerned(key) in (None, *sets)}


def load_experiment(
    name: str | Path, folder: Path | Sequence[Path] | None = None, overrides: Sequence[str] | Mapping[str, object] = ()
) -> Experiment:
    """Read an experiment's definition.

    Parameters
    ----------
    name : str or Path
        The name of a file of ``experiments/`` without ``.toml``; or a file that lies anywhere, whose members may lie
        beside it.
    folder : Path or sequence of Path, optional
        Where to look before the shipped definitions; by default ``experiments/`` of the project.
    overrides : sequence of "key=value" or mapping
        Changes such as ``"model.max_depth=6"``; the value is read as TOML, else as a word. Of an ensemble,
        ``"members.features.params.encoder.model=FOLDER"`` changes all members that it concerns.

    Raises
    ------
    InputError
        No such experiment, or a file that cannot be used; unknown keys come with the nearest name.

    Examples
    --------
    >>> from ser_experiments import load_experiment
    >>> experiment = load_experiment("svm_lld", overrides=["model.C=0.1"])
    >>> experiment.name, experiment.definition.model.params["C"]
    ('svm_lld', 0.1)
    """
    folder = project.find().experiments if folder is None else folder
    place = place_of(name, (folder,) if isinstance(folder, Path) else tuple(folder))
    where = _shown(place.path)
    try:
        text = read_text(place.path, most=WRITTEN)
        raw = parse_toml(text, place.path)
    except Unreadable as error:
        raise InputError(f"{where}: {error.reason}") from error
    changes = overrides if isinstance(overrides, Mapping) else dict(_pair(item) for item in overrides)
    of_members = {key.removeprefix(MEMBERS): value for key, value in changes.items() if key.startswith(MEMBERS)}
    for key, value in changes.items():
        if not key.startswith(MEMBERS):
            _set(raw, key, value)
    shown = [f"{key}={value!r}" for key, value in sorted(changes.items())]
    note = "".join(f"# --set {change}\n" for change in shown)
    definition = parse_definition(raw, where)
    if of_members and not definition.members:
        raise InputError(f"--set {MEMBERS}{next(iter(of_members))}: {place.name} has no members; leave out {MEMBERS!r}")
    return Experiment(
        name=place.name,
        definition=definition,
        text=note + text,
        folder=place.folders[0],
        then=place.folders[1:],
        changes=" ".join(shown),
        of_members=of_members,
    )


def _concerned(key: str) -> str | None:
    """Return the feature set whose parameter a change is; None of any other change."""
    *section, name, _ = ["", "", *key.split(".")][-4:]
    return name if section[-2:] == ["features", "params"] else None


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


def _pair(item: str) -> tuple[str, object]:
    key, equals, value = item.partition("=")
    if not equals or not key:
        raise InputError(f"--set {cut(item)!r}: expected key=value, e.g. model.max_depth=6")
    if len(value) > _LONGEST_VALUE:
        raise InputError(f"--set {cut(key)}: a value of {len(value)} characters; at most {_LONGEST_VALUE} are taken")
    check_word(key, "--set: key")
    try:
        return key, parse_toml(f"value = {value}", "--set")["value"]
    except Unreadable as error:
        if isinstance(error.__cause__, tomllib.TOMLDecodeError):
            return key, value
        raise InputError(f"--set {key}: {error.reason}") from error


def _set(raw: dict[str, Any], key: str, value: object) -> None:
    *parents, last = key.split(".")
    here = raw
    for part in parents:
        below = here.setdefault(part, {})
        if not isinstance(below, dict):
            raise InputError(f"--set {key}: {part!r} is not a section")
        here = below
    here[last] = value


def _shown(path: Path) -> str:
    """Return the path as a user knows it: relative to the current folder where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
