"""Audit a run that was logged: what was said of it is said again, and what comes of it is held against the run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_experiments.errors import InputError, SerError
from ser_experiments.evaluation.audited import SAME
from ser_experiments.evaluation.scoring import pooled
from ser_experiments.experiment.asked import REQUEST, asked_again
from ser_experiments.experiment.lookup import ENDING, experiment_names
from ser_experiments.experiment.request import RunRequest
from ser_experiments.files import read_bytes, read_json
from ser_experiments.frames import Predictions
from ser_experiments.tracking.backend import FINISHED, Backend, Registered, StoredRun, existing, is_begun
from ser_experiments.tracking.environment import package_versions
from ser_experiments.tracking.leaderboard import ScoredRun, load_scored
from ser_experiments.tracking.meant import SHORT
from ser_experiments.tracking.named import named
from ser_experiments.tracking.record import DEFINITION

if TYPE_CHECKING:
    from ser_experiments.evaluation.audited import Audited
    from ser_experiments.experiment.result import Prepared
    from ser_experiments.project import Project
    from ser_experiments.tracking.keeper import KeptRun

#: What a run of the same experiment must have in common, besides the definition and the answers.
_IDENTITY = ("ser.rows", "ser.changes", "ser.seed", "ser.features", "ser.normalize")
#: Programs whose version may change an answer, by their tags.
_VERSION = "version."


@dataclass
class Meant:
    """What is audited: what is said of it, and the run that it is held against.

    Parameters
    ----------
    request : RunRequest
        The experiment and its setting.
    backend : Backend or None
        The store, where it is asked.
    run : ScoredRun or None
        The run that was named; of an experiment the one that gave the same, once it was heard.
    model : Registered or None
        The version of the registry that was named.
    """

    request: RunRequest
    backend: Backend | None = None
    run: ScoredRun | None = None
    model: Registered | None = None

    @property
    def run_id(self) -> str:
        """Return the run's id, an empty text where there is no run."""
        return "" if self.run is None else self.run.run.run_id

    def of_run(self, found: Audited) -> Audited:
        """Return what was found as the run's: a copy of its corpus may have another name."""
        if self.run is None:
            return found
        run = self.run.run
        return replace(found, run_id=run.run_id, setting=run.tags.get("ser.setting", found.setting))

    def hear(self, prepared: Prepared, scored: Predictions) -> None:
        """Hold what is answered as recorded against the run that was named, or find the one that gave the same.

        Raises
        ------
        InputError
            The run that was named gave something else.
        """
        if self.run is not None:
            check_same(prepared, scored, self.run)
        elif self.backend is not None:
            self.run = run_like(self.backend, prepared, scored)


@contextmanager
def meant(project: Project, request: RunRequest, given: Mapping[str, Any], *, log: bool = True) -> Iterator[Meant]:
    """Find out what is to be audited: an experiment by its name, else a run by its id or by its model.

    Parameters
    ----------
    project : Project
        Where definitions and runs lie.
    request : RunRequest
        With what was named as its experiment.
    given : mapping
        What was said besides, and is no default.
    log : bool
        Whether a run is looked for that gave what an experiment gives.

    Raises
    ------
    InputError
        Nothing is called so, or a run recorded too little.
    """
    name = str(request.experiment)
    experiments = experiment_names(project.experiments)
    if name in experiments or name.endswith(ENDING) or not is_begun(project):
        yield Meant(request, existing(project) if log and is_begun(project) else None)
        return
    backend = existing(project)
    run, model = named(backend, name, experiments)
    with request_of(backend, run, project, given) as (asked, scored):
        yield Meant(asked, backend, scored, model)


@contextmanager
def request_of(
    backend: Backend, run: KeptRun, project: Project, given: Mapping[str, Any]
) -> Iterator[tuple[RunRequest, ScoredRun]]:
    """Say again what was said of a run, with its own definition, which lies on disk meanwhile.

    Parameters
    ----------
    backend : Backend
        The store.
    run : KeptRun
        What is audited.
    project : Project
        Where paths begin that were in it.
    given : mapping
        Fields of the request that count instead of what was recorded, e.g. ``root``.

    Yields
    ------
    request : RunRequest
    scored : ScoredRun
        The run with its predictions.

    Raises
    ------
    InputError
        The run did not finish, or what it recorded is not enough: which option to say.
    """
    where = f"run {run.run_id[:SHORT]} ({run.title})"
    if run.status != FINISHED or run.going:
        raise InputError(f"{where}: did not finish ({run.status.lower()}); audit one that did: ser runs list")
    if run.tags.get("ser.features", "").startswith("table:"):
        raise InputError(f"{where}: its features were made elsewhere (--table); they cannot be measured in noise")
    if Path(run.experiment).name != run.experiment:  # a file of this name is written
        raise InputError(f"{where}: its experiment is called {run.experiment!r}, which leads elsewhere")
    (scored,) = load_scored(backend, [stored(run)])
    with tempfile.TemporaryDirectory() as folder:
        definition, fetched = Path(folder) / f"{run.experiment}{ENDING}", Path(folder) / "fetched"
        fetched.mkdir()
        try:
            definition.write_bytes(read_bytes(backend.artifact(run.run_id, DEFINITION, fetched)))
            kept = read_json(backend.artifact(run.run_id, REQUEST, fetched))
        except (OSError, SerError) as error:
            raise InputError(
                f"{where}: left no {REQUEST}, as runs of earlier versions did; name the experiment with the options of "
                f"the run, and the audit is kept with it: ser audit {run.experiment} ..."
            ) from error
        request, lacking = asked_again(definition, kept, project, given, where)
        if lacking:
            raise InputError(f"{where}: its corpus was made in Python; say where one like it lies: {' '.join(lacking)}")
        yield request, scored


def stored(run: KeptRun) -> StoredRun:
    """Return a run that finished as boards take it."""
    return StoredRun(run.run_id, run.experiment, run.started_ms, run.tags, run.metrics)


def check_same(prepared: Prepared, scored: Predictions, run: ScoredRun) -> None:
    """Refuse an audit of something else than the run.

    Raises
    ------
    InputError
        Utterances, folds, truth or answers are others: which, and what to say.
    """
    moved = moved_since(prepared, scored, run)
    if moved:
        raise InputError(f"run {run.run.run_id[:SHORT]} is not what is audited: {moved}")


def moved_since(prepared: Prepared, scored: Predictions, run: ScoredRun) -> str:
    """Say in a line what is not as it was in a run; nothing where all is."""
    theirs = run.predictions
    here, there = set(scored.frame.index), set(theirs.frame.index)
    if here != there:
        told = [f"{len(there - here)} of its {len(there)} utterances are missing"] if there - here else []
        told += [f"{len(here - there)} are new"] if here - there else []
        return f"{', '.join(told)}; say where its corpus lies (--root), or what else was said of it"
    theirs = Predictions(theirs.frame.loc[scored.frame.index], theirs.task)
    if scored.task != theirs.task or not np.allclose(scored.truth, theirs.truth, rtol=0, atol=SAME, equal_nan=True):
        return "the labels of its utterances are others; say --labels, --map and the like as for the run"
    rows = run.run.tags.get("ser.rows", prepared.setting.rows)
    if rows != prepared.setting.rows:
        return f"its rows and folds are {rows}, these {prepared.setting.rows}; say protocol and folds as for the run"
    primary = scored.task.primary
    mine, its = pooled(scored)[primary], pooled(theirs)[primary]
    if abs(mine - its) <= SAME:
        return ""
    differ = int((scored.decided != theirs.decided).reshape(len(scored), -1).any(axis=1).sum())
    versions = _versions(run.run.tags)
    since = f" ({versions})" if versions else ""
    return (
        f"{primary} is {mine:.6f} and was {its:.6f}, {differ} of {len(scored)} answers differ{since}; run the "
        "experiment again and audit that run"
    )


def run_like(backend: Backend, prepared: Prepared, scored: Predictions) -> ScoredRun | None:
    """Return the latest finished run of the same definition, rows, changes, seed and answers; None where none is."""
    experiment, setting = prepared.experiment, prepared.setting
    mine = (setting.rows, prepared.changes, str(prepared.seed), prepared.features, setting.normalize)
    for run in (run for one in backend.settings() for run in one.runs):
        if run.name != experiment.name or tuple(run.tags.get(name, "") for name in _IDENTITY) != mine:
            continue
        if _definition(backend, run.run_id) != experiment.text:
            continue
        found = _scored(backend, run)
        if found is not None and not moved_since(prepared, scored, found):
            return found
    return None


def _definition(backend: Backend, run_id: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return read_bytes(backend.artifact(run_id, DEFINITION, Path(folder))).decode("utf-8", "replace")
        except (OSError, SerError):
            return ""


def _scored(backend: Backend, run: StoredRun) -> ScoredRun | None:
    try:
        return load_scored(backend, [run])[0]
    except SerError:
        return None


def _versions(tags: Mapping[str, str]) -> str:
    """Name the libraries whose version is another one than the run's."""
    now = {f"{_VERSION}{name}": value for name, value in package_versions().items()}
    changed = [name for name in sorted(now) if name in tags and tags[name] != now[name]]
    return "; ".join(f"{name.removeprefix(_VERSION)} {tags[name]} became {now[name]}" for name in changed)
