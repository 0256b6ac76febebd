"""Finished runs of one setting with their out-of-fold predictions, from whatever store they are in."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_experiments.errors import InputError, SerError, StoreError, nearest
from ser_experiments.evaluation.predictions import read_predictions, with_truth
from ser_experiments.files import read_json
from ser_experiments.frames import GROUP, Predictions, unit_column
from ser_experiments.secret import reason
from ser_experiments.tracking.backend import Backend, StoredRun, StoredSetting

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoredRun:
    """A finished run with its out-of-fold predictions and what ``result.json`` says."""

    run: StoredRun
    predictions: Predictions
    result: dict[str, Any]

    @property
    def unit(self) -> str:
        """Return what an interval is taken over: ``"session"`` or ``"speaker"``."""
        return str(self.result["interval_unit"])

    @property
    def unit_column(self) -> str:
        """Return the column of the predictions that holds the unit."""
        return unit_column(self.unit)


def choose_setting(
    backend: Backend,
    setting: str | None = None,
    *,
    corpus: str | None = None,
    labels: str | None = None,
    protocol: str | None = None,
) -> tuple[StoredSetting, list[str]]:
    """Choose one setting: by name, else that of the latest run that fits.

    Parameters
    ----------
    backend : Backend
        The store.
    setting : str, optional
        Its name, as `ser run` says it.
    corpus, labels, protocol : str, optional
        What the setting must be of.

    Returns
    -------
    chosen : StoredSetting
    others : list of str
        The names of the other settings that would have fitted.

    Raises
    ------
    InputError
        There are no finished runs, or none fits.
    """
    every = backend.settings()
    if not every:
        raise InputError("no finished runs in the store; run an experiment first, e.g. ser run svm_lld")
    if setting is not None:
        names = [s.name for s in every]
        if setting not in names:
            raise InputError(f"no finished runs of setting {setting!r}{nearest(setting, names)}")
        every = [s for s in every if s.name == setting]
    for key, value in (("corpus", corpus), ("labels", labels), ("protocol", protocol)):
        if value is None:
            continue
        known = {s.latest.tags.get(f"ser.{key}", "") for s in every}
        if value not in known:
            raise InputError(f"no finished runs with {key} {value!r}{nearest(value, known)}")
        every = [s for s in every if s.latest.tags.get(f"ser.{key}") == value]
    return every[0], [s.name for s in every[1:]]


def choose_runs(setting: StoredSetting, names: Sequence[str] = (), *, every: bool = False) -> list[StoredRun]:
    """Choose runs of a setting: of each experiment, changes to it (``--set``), seed and table the latest.

    Parameters
    ----------
    setting : StoredSetting
        Where to choose from.
    names : sequence of str
        Experiments, or ids of runs (their first eight characters do); none means all.
    every : bool, default=False
        Every finished run instead of the latest of equal ones.

    Raises
    ------
    InputError
        A name without a finished run in the setting.
    """
    known = {run.name for run in setting.runs}
    chosen: dict[str, StoredRun] = {}
    for name in names or sorted(known):
        if name in known:
            runs = [run for run in setting.runs if run.name == name]
            latest: dict[tuple[str, ...], StoredRun] = {}
            for run in runs:
                latest.setdefault(run.variant, run)
            runs = runs if every else list(latest.values())
        else:
            runs = [run for run in setting.runs if len(name) >= 8 and run.run_id.startswith(name)]
        if not runs:
            raise InputError(f"no finished run {name!r} in setting {setting.name!r}{nearest(name, known)}")
        chosen.update({run.run_id: run for run in runs})
    return list(chosen.values())


def load_scored(backend: Backend, runs: Collection[StoredRun]) -> list[ScoredRun]:
    """Fetch the predictions of runs; a run without them is left out with a warning.

    Raises
    ------
    StoreError
        None of the runs has predictions.
    """
    scored = []
    for run in runs:
        try:
            scored.append(_load_one(backend, run))
        except (OSError, SerError, KeyError, ValueError) as error:
            said = reason(error)
            log.warning("run %s (%s) is left out: its predictions cannot be read (%s)", run.run_id, run.name, said)
    if runs and not scored:
        raise StoreError("none of the runs has predictions that can be read; run the experiments again")
    return scored


def _load_one(backend: Backend, run: StoredRun) -> ScoredRun:
    with tempfile.TemporaryDirectory() as folder:
        names = ("predictions.csv", "result.json")
        table, said = (backend.artifact(run.run_id, name, Path(folder)) for name in names)
        predictions = with_truth(read_predictions(table))
        result = read_json(said)
    if not {"speaker", GROUP} <= set(predictions.frame.columns):
        raise InputError(f"predictions.csv has no columns speaker and {GROUP}")
    return ScoredRun(run, predictions, {"interval_unit": result["interval_unit"], **result})
