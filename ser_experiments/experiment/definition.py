"""The definition of an experiment: one TOML file, parsed once, frozen, with unknown keys refused."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from ser_experiments import project
from ser_experiments.errors import InputError
from ser_experiments.experiment.lookup import place_of
from ser_experiments.experiment.sections import Definition, Section, parse_definition
from ser_experiments.features.extractor import set_of
from ser_experiments.files import WRITTEN, Unreadable, parse_toml, read_text
from ser_experiments.shown import html, named
from ser_experiments.words import check_word, cut

#: Characters of a value of ``--set``: a folder's name at most.
_LONGEST_VALUE = 4096
#: What begins a change of an ensemble's members.
MEMBERS = "members."


class Experiment(Section):
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
