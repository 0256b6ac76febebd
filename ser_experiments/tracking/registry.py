"""The registry: the best model of a setting is its champion, the one before it stays at hand."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from filelock import FileLock, Timeout

from ser_experiments.errors import InputError, SerError, StoreError, nearest
from ser_experiments.evaluation.compare import Difference, paired_difference
from ser_experiments.evaluation.score import Score
from ser_experiments.project import Project
from ser_experiments.tracking.backend import Backend, Registered, StoredRun, StoredSetting
from ser_experiments.tracking.leaderboard import load_scored
from ser_experiments.tracking.meant import one_of

log = logging.getLogger(__name__)
#: Registering copies the weights of an encoder, which may be gigabytes.
_PATIENCE_S = 600.0
CHAMPION, PREVIOUS = "champion", "previous"
#: The tag that says whether a model was trained on speech that nobody spoke.
SYNTHETIC = "synthetic"
PREFIX = "ser-"
#: What every store calls a run by, or as much of it as boards show.
_RUN_ID = re.compile(r"[0-9a-f]{8,32}")


@contextmanager
def alone(project: Project) -> Iterator[None]:
    """Let no other process of a project change meanwhile who is champion: it waits, and then finds whoever is.

    Who registers at the same moment in the store of a server, from another project, is not waited for.

    Raises
    ------
    StoreError
        The project's folder cannot be written, or another process has not come to an end.
    """
    try:
        project.mlruns.mkdir(parents=True, exist_ok=True)
        with FileLock(project.mlruns / ".registry.lock", timeout=_PATIENCE_S):
            yield
    except Timeout as error:
        raise StoreError(
            f"another `ser register` has been at work in {project.folder} for {_PATIENCE_S:.0f} s; try again later"
        ) from error
    except OSError as error:
        raise StoreError(f"{project.mlruns}: cannot be written ({error.strerror or error})") from error


def model_name(setting: StoredSetting) -> str:
    """Return the registered name of a setting's models."""
    return PREFIX + setting.name


def check_fit(run: StoredRun, *, allow_demo: bool, force: bool = False) -> None:
    """Refuse a run whose model nobody should use.

    Raises
    ------
    SerError
        Scored under ``random``; on synthetic speech, without `allow_demo`; or what measures its features has learned
        from the labels of the corpus, without `force`.
    """
    tags = run.tags
    if tags.get("ser.leaky") == "true":
        raise SerError(
            f"{run.name} is not registered: its score is of the protocol {tags.get('ser.protocol', 'random')}, where "
            "tested speakers were seen in training; run it under leave-one-speaker-out"
        )
    if tags.get("ser.synthetic") == "true" and not allow_demo:
        raise SerError(
            f"{run.name} is not registered: it was trained on synthetic speech and knows nothing about people; "
            "say --allow-demo to try the registry with it"
        )
    if run.contaminated and not force:
        raise SerError(
            f"{run.name} is not registered: what measures its features has learned from the labels of this corpus, so "
            "that its score says nothing of unheard speech and is not to be compared; --force takes it all the same"
        )


def against_champion(
    backend: Backend, setting: StoredSetting, run: StoredRun, metric: str | Score
) -> tuple[Registered, Difference] | None:
    """Compare a run with the champion of its setting on the same utterances; None where there is no champion.

    Raises
    ------
    SerError
        The run is the champion already.
    StoreError
        The champion's run is gone, so that nothing can be compared.
    """
    champion = find(backend, model_name(setting), CHAMPION)
    if champion is None:
        return None
    if champion.run_id == run.run_id:
        raise SerError(f"run {run.run_id[:8]} ({run.name}) is the champion of {setting.name} already")
    held = [one for one in setting.runs if one.run_id == champion.run_id]
    if not held:
        raise StoreError(
            f"the champion's run {champion.run_id[:8]} is no longer in {setting.name}; --force replaces it unseen"
        )
    mine, theirs = (load_scored(backend, [one])[0] for one in (run, held[0]))
    return champion, paired_difference(mine.predictions, theirs.predictions, mine.unit_column, metric=metric)


def register(backend: Backend, setting: StoredSetting, run: StoredRun, metric: str) -> Registered:
    """Register the model of a run as the champion of its setting; the champion before becomes ``previous``.

    Raises
    ------
    StoreError
        The run holds no model, or the registry does not answer.
    """
    name = model_name(setting)
    before = find(backend, name, CHAMPION)
    tags = {
        "experiment": run.name,
        "metric": metric,
        "score": f"{run.metrics.get(metric, float('nan')):.4f}",
        "interval": " to ".join(f"{run.metrics[key]:.4f}" for key in _ends(metric) if key in run.metrics),
        "features": run.tags.get("ser.features", ""),
        "rows": run.tags.get("ser.rows", ""),
        SYNTHETIC: run.tags.get("ser.synthetic", ""),
    }
    words = f"Models of the setting {setting.name}; see the aliases."
    version = backend.register(name, run.run_id, description=words, tags=tags)
    if before is not None:
        backend.set_alias(name, PREVIOUS, before.version)
    backend.set_alias(name, CHAMPION, version)
    return _version(backend, name, version)


def roll_back(backend: Backend, name: str) -> Registered:
    """Let the previous champion be champion again, and the present one previous.

    Raises
    ------
    InputError
        There is no such model or no previous champion.
    """
    present, before = find(backend, name, CHAMPION), find(backend, name, PREVIOUS)
    if before is None or present is None:
        known = sorted({one.name for one in registered(backend)})
        raise InputError(f"{name}: no previous champion to go back to" if name in known else _unknown(name, known))
    backend.set_alias(name, CHAMPION, before.version)
    backend.set_alias(name, PREVIOUS, present.version)
    return _version(backend, name, before.version)


def registered(backend: Backend) -> list[Registered]:
    """List every version of this project's registered models, the newest of each name first."""
    return [one for one in backend.versions() if one.name.startswith(PREFIX)]


def find(backend: Backend, name: str, alias: str) -> Registered | None:
    """Return the version that has an alias; None where there is none."""
    return next((one for one in backend.versions(name) if alias in one.aliases), None)


def _version(backend: Backend, name: str, version: int) -> Registered:
    return next(one for one in backend.versions(name) if one.version == version)


def the_champion(models: Sequence[Registered]) -> Registered:
    """Return the champion that answers where none is named.

    One of synthetic speech never stands in for one of people. Champions of two settings answer two questions, or the
    same one about other people: which is meant, only the user knows.

    Parameters
    ----------
    models : sequence of Registered
        Everything that is registered.

    Raises
    ------
    InputError
        There is none, or more than one setting has one.
    """
    champions = [one for one in models if CHAMPION in one.aliases]
    if not champions:
        raise InputError("no model is registered; register the best run with: ser register")
    spoken = [one for one in champions if not _is_synthetic(one)]
    found = spoken or champions
    if len(found) > 1:
        named = ", ".join(f"{one.name} ({one.tags.get('experiment', 'unknown')})" for one in found)
        raise InputError(
            f"{len(found)} settings have a champion: {named}; say whose is to answer: --model {found[0].name}"
        )
    for one in champions:
        if one is not found[0]:
            log.info("not asked, since it was trained on synthetic speech: --model %s", one.name)
    return found[0]


def _is_synthetic(model: Registered) -> bool:
    # What was registered before models had the tag can be synthetic only if it is of the demo.
    told = model.tags.get(SYNTHETIC)
    return told == "true" if told else model.name.startswith(f"{PREFIX}demo-")


def model_uri(backend: Backend, name: str | None = None) -> str:
    """Return the URI of a model by what a user calls it.

    Parameters
    ----------
    backend : Backend
        The store.
    name : str, optional
        A setting or registered name, perhaps with ``@alias`` or ``/version``; the id of a run (its first eight
        characters do); a URI such as ``models:/...``. By default the champion, see :func:`the_champion`.

    Raises
    ------
    InputError
        Nothing of that name is registered; or none is named and several settings have a champion.
    """
    if name is not None and ":/" in name:
        return name
    every = registered(backend)
    known = sorted({one.name for one in every})
    if name is None:
        return f"models:/{the_champion(every).name}@{CHAMPION}"
    base = name if name.startswith(PREFIX) else PREFIX + name
    for separator in ("@", "/"):
        model, found, rest = base.partition(separator)
        if found and model in known:
            ends = {alias for one in every if one.name == model for alias in (*one.aliases, str(one.version))}
            if rest not in ends:
                raise InputError(f"{model} has no {rest!r}{nearest(rest, sorted(ends))}")
            return f"models:/{model}{separator}{rest}"
    if base in known:
        return f"models:/{base}@{CHAMPION}"
    if _RUN_ID.fullmatch(name) and (uri := _of_run(backend, name)):
        return uri
    raise InputError(_unknown(name, known))


def version_named(backend: Backend, name: str) -> Registered | None:
    """Return the version that a name means, as :func:`model_uri` takes it; None where nothing is registered so."""
    every = registered(backend)
    base = name if name.startswith(PREFIX) else PREFIX + name
    if re.split("[@/]", base)[0] not in {one.name for one in every}:
        return None
    meant = model_uri(backend, name).removeprefix("models:/")
    return next(
        one for one in every if meant in (f"{one.name}/{one.version}", *(f"{one.name}@{end}" for end in one.aliases))
    )


def _ends(metric: str) -> tuple[str, str]:
    return f"{metric}_ci_low", f"{metric}_ci_high"


def _of_run(backend: Backend, begins: str) -> str | None:
    """Return the URI of the model of the one run whose id begins so; None where there is no run of it."""
    runs = {run.run_id: run.name for one in backend.settings() for run in one.runs if run.run_id.startswith(begins)}
    meant = one_of(runs, begins)
    return None if meant is None else f"runs:/{meant}/model"


def _unknown(name: str, known: Sequence[str]) -> str:
    hint = nearest(name, known) if known else "; register the best run with: ser register"
    return f"unknown model {name!r}{hint}"


def as_json(models: Sequence[Registered]) -> str:
    """Return versions as JSON."""
    return json.dumps([one.as_dict() for one in models])
