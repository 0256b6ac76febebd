"""The registry: the best model of a setting is its champion, the one before it stays at hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from ser_experiments.errors import InputError, SerError, StoreError, nearest
from ser_experiments.evaluation.compare import Difference, paired_difference
from ser_experiments.evaluation.score import Score
from ser_experiments.tracking.leaderboard import StoredRun, StoredSetting, load_scored

CHAMPION, PREVIOUS = "champion", "previous"
PREFIX = "ser-"


@dataclass(frozen=True)
class Registered:
    """One version of a registered model.

    Parameters
    ----------
    name : str
        ``ser-<setting>``.
    version : int
        Counted from 1.
    aliases : tuple of str
        ``champion``, ``previous`` or none.
    run_id : str
        The run whose model it is.
    tags : dict of str to str
        ``experiment``, ``metric``, ``score`` and its interval where it is known.
    """

    name: str
    version: int
    aliases: tuple[str, ...]
    run_id: str
    tags: dict[str, str]


def model_name(setting: StoredSetting) -> str:
    """Return the registered name of a setting's models."""
    return PREFIX + setting.name


def check_fit(run: StoredRun, *, allow_demo: bool) -> None:
    """Refuse a run whose model nobody should use.

    Raises
    ------
    SerError
        Scored under ``random``, or on synthetic speech without `allow_demo`.
    """
    tags = run.tags
    if tags.get("ser.leaky") == "true":
        raise SerError(
            f"{run.name} is not registered: its score is of the protocol random, where tested speakers were seen "
            "in training; run it under leave-one-speaker-out"
        )
    if tags.get("ser.synthetic") == "true" and not allow_demo:
        raise SerError(
            f"{run.name} is not registered: it was trained on synthetic speech and knows nothing about people; "
            "say --allow-demo to try the registry with it"
        )


def against_champion(
    client: mlflow.MlflowClient, setting: StoredSetting, run: StoredRun, metric: str | Score
) -> tuple[Registered, Difference] | None:
    """Compare a run with the champion of its setting on the same utterances; None where there is no champion.

    Raises
    ------
    SerError
        The run is the champion already.
    StoreError
        The champion's run is gone, so that nothing can be compared.
    """
    champion = find(client, model_name(setting), CHAMPION)
    if champion is None:
        return None
    if champion.run_id == run.run_id:
        raise SerError(f"run {run.run_id[:8]} ({run.name}) is the champion of {setting.name} already")
    held = [one for one in setting.runs if one.run_id == champion.run_id]
    if not held:
        raise StoreError(
            f"the champion's run {champion.run_id[:8]} is no longer in {setting.name}; --force replaces it unseen"
        )
    mine, theirs = (load_scored(client, [one])[0] for one in (run, held[0]))
    return champion, paired_difference(mine.predictions, theirs.predictions, mine.unit_column, metric=metric)


def register(client: mlflow.MlflowClient, setting: StoredSetting, run: StoredRun, metric: str) -> Registered:
    """Register the model of a run as the champion of its setting; the champion before becomes ``previous``.

    Raises
    ------
    StoreError
        The run holds no model, or the registry does not answer.
    """
    name = model_name(setting)
    outputs = client.get_run(run.run_id).outputs
    models = outputs.model_outputs if outputs else []
    if not models:
        raise StoreError(f"run {run.run_id} ({run.name}) holds no model; run the experiment again")
    before = find(client, name, CHAMPION)
    try:
        if before is None and not _exists(client, name):
            client.create_registered_model(name, description=f"Models of the setting {setting.name}; see the aliases.")
        found = client.create_model_version(
            name,
            source=f"models:/{models[0].model_id}",
            run_id=run.run_id,
            model_id=models[0].model_id,
            tags={
                "experiment": run.name,
                "metric": metric,
                "score": f"{run.metrics.get(metric, float('nan')):.4f}",
                "interval": " to ".join(f"{run.metrics[key]:.4f}" for key in _ends(metric) if key in run.metrics),
                "features": run.tags.get("ser.features", ""),
                "rows": run.tags.get("ser.rows", ""),
            },
        )
        if before is not None:
            client.set_registered_model_alias(name, PREVIOUS, str(before.version))
        client.set_registered_model_alias(name, CHAMPION, found.version)
    except MlflowException as error:
        raise StoreError(f"{name} was not registered: {str(error).splitlines()[0][:200]}") from error
    return _registered(client.get_model_version(name, found.version))


def roll_back(client: mlflow.MlflowClient, name: str) -> Registered:
    """Let the previous champion be champion again, and the present one previous.

    Raises
    ------
    InputError
        There is no such model or no previous champion.
    """
    present, before = find(client, name, CHAMPION), find(client, name, PREVIOUS)
    if before is None or present is None:
        known = sorted({one.name for one in registered(client)})
        raise InputError(f"{name}: no previous champion to go back to" if name in known else _unknown(name, known))
    client.set_registered_model_alias(name, CHAMPION, str(before.version))
    client.set_registered_model_alias(name, PREVIOUS, str(present.version))
    return _registered(client.get_model_version(name, str(before.version)))


def registered(client: mlflow.MlflowClient) -> list[Registered]:
    """List every version of this project's registered models, the newest of each name first."""
    found = []
    for model in client.search_registered_models(filter_string=f"name LIKE '{PREFIX}%'", max_results=1000):
        versions = client.search_model_versions(f"name = '{model.name}'", max_results=1000)
        # A search leaves the aliases of versions out; the model knows them.
        for one in sorted(versions, key=lambda version: -int(version.version)):
            aliases = tuple(sorted(a for a, v in model.aliases.items() if int(v) == int(one.version)))
            found.append(_registered(one, aliases))
    return found


def find(client: mlflow.MlflowClient, name: str, alias: str) -> Registered | None:
    """Return the version that has an alias; None where there is none."""
    try:
        return _registered(client.get_model_version_by_alias(name, alias))
    except MlflowException:
        return None


def model_uri(client: mlflow.MlflowClient, name: str | None = None) -> str:
    """Return the URI of a model by what a user calls it.

    Parameters
    ----------
    client : MlflowClient
        The store.
    name : str, optional
        A setting or registered name, perhaps with ``@alias`` or ``/version``; a URI such as ``models:/...``.
        By default the champion of the setting that was registered last.

    Raises
    ------
    InputError
        Nothing of that name is registered.
    """
    if name is not None and ":/" in name:
        return name
    every = registered(client)
    known = sorted({one.name for one in every})
    if name is None:
        champions = [one for one in every if CHAMPION in one.aliases]
        if not champions:
            raise InputError("no model is registered; register the best run with: ser register")
        latest = max(
            champions, key=lambda one: int(client.get_model_version(one.name, str(one.version)).creation_timestamp)
        )
        return f"models:/{latest.name}@{CHAMPION}"
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
    raise InputError(_unknown(name, known))


def model_folder(uri: str) -> Path:
    """Return the local folder of a logged or registered model's own files; nothing in it is executed.

    Raises
    ------
    InputError
        There is no such model, or it is not one of this project.
    """
    import yaml

    try:
        folder = Path(mlflow.artifacts.download_artifacts(uri))
        flavor: dict[str, Any] = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["flavors"]
        return folder / str(flavor["python_function"]["data"])
    except (MlflowException, OSError, KeyError, TypeError, yaml.YAMLError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise InputError(f"{uri}: not a model that can be loaded ({reason})") from error


def _ends(metric: str) -> tuple[str, str]:
    return f"{metric}_ci_low", f"{metric}_ci_high"


def _exists(client: mlflow.MlflowClient, name: str) -> bool:
    try:
        client.get_registered_model(name)
    except MlflowException:
        return False
    return True


def _registered(found: ModelVersion, aliases: Sequence[str] | None = None) -> Registered:
    return Registered(
        found.name,
        int(found.version),
        tuple(found.aliases if aliases is None else aliases),
        str(found.run_id),
        dict(found.tags),
    )


def _unknown(name: str, known: Sequence[str]) -> str:
    hint = nearest(name, known) if known else "; register the best run with: ser register"
    return f"unknown model {name!r}{hint}"


def as_json(models: Sequence[Registered]) -> str:
    """Return versions as JSON."""
    return json.dumps([{**one.__dict__, "aliases": list(one.aliases)} for one in models])
