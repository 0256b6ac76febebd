"""A study: the finished runs of one setting side by side, and what the best of them and its model left."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ser_experiments.errors import SerError
from ser_experiments.evaluation.audited import Audited
from ser_experiments.evaluation.compare import Comparison, compare
from ser_experiments.evaluation.plots import pictures_of
from ser_experiments.evaluation.score import Score
from ser_experiments.files import parse_json, read_bytes, read_json
from ser_experiments.report.board import called, facts_of, leaderboard
from ser_experiments.secret import reason
from ser_experiments.serving.folder import ABOUT
from ser_experiments.tracking.audits import read_audit
from ser_experiments.tracking.backend import Backend, Registered, StoredSetting
from ser_experiments.tracking.leaderboard import ScoredRun, choose_runs, load_scored
from ser_experiments.tracking.record import DEFINITION, ENVIRONMENT
from ser_experiments.tracking.registry import CHAMPION, model_name

log = logging.getLogger(__name__)
#: What is read of the best run besides its pictures, its predictions, its definition and what ran it.
AGREEMENT = "by_agreement.csv"


@dataclass(frozen=True)
class Study:
    """Everything that a report says.

    Parameters
    ----------
    setting : StoredSetting
        With its finished runs.
    scored : mapping of str to ScoredRun
        Those on the board, by id.
    comparison : Comparison
        Of them, best first.
    table : DataFrame
        The board; see :func:`ser_experiments.report.board.leaderboard`.
    facts : dict
        What is said of the board.
    files : mapping of str to bytes
        What the best run left, by its name there; what is not there any more is missing.
    models : list of Registered
        Versions that are registered from the setting, the newest first.
    about : dict
        What the champion says of itself in ``model.json``; empty where there is none.
    audits : mapping of str to Audited
        What is kept of audits of the best run and of the champion's, by run.
    """

    setting: StoredSetting
    scored: Mapping[str, ScoredRun]
    comparison: Comparison
    table: pd.DataFrame
    facts: dict[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)
    models: list[Registered] = field(default_factory=list)
    about: Mapping[str, Any] = field(default_factory=dict)
    audits: Mapping[str, Audited] = field(default_factory=dict)

    @property
    def best(self) -> ScoredRun:
        """Return the best run."""
        return self.scored[self.comparison.best.key]

    @property
    def names(self) -> list[str]:
        """Return what runs are called, best first."""
        return called(self.table)

    @property
    def tags(self) -> Mapping[str, str]:
        """Return the tags of the best run."""
        return self.best.run.tags

    def text(self, name: str) -> str:
        """Return a file of the best run as text; an empty one where it left none."""
        return self.files.get(name, b"").decode("utf-8", "replace").replace("\r\n", "\n")

    def json(self, name: str) -> dict[str, Any]:
        """Return a JSON file of the best run; nothing where it left none that can be read."""
        try:
            found = parse_json(self.files.get(name, b"{}"), name)
        except SerError as error:
            log.warning("left out: %s", error)
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def champion(self) -> Registered | None:
        """Return the model in use."""
        return next((one for one in self.models if CHAMPION in one.aliases), None)


def read_study(backend: Backend, setting: StoredSetting, metric: str | Score | None = None) -> Study:
    """Read a study from the store it is in; nothing is written.

    Parameters
    ----------
    backend : Backend
        The store.
    setting : StoredSetting
        What is reported.
    metric : str or Score, optional
        What ranks the runs; by default the primary score of what is predicted.

    Raises
    ------
    InputError
        The metric is not one of what is predicted.
    StoreError
        No run has predictions that can be read, or the store does not answer.
    """
    scored = load_scored(backend, choose_runs(setting))
    by_id = {one.run.run_id: one for one in scored}
    comparison = compare({key: one.predictions for key, one in by_id.items()}, scored[0].unit_column, metric=metric)
    best = by_id[comparison.best.key]
    names = [DEFINITION, ENVIRONMENT, AGREEMENT, *pictures_of(best.predictions)]
    models = backend.versions(model_name(setting))
    champions = [one.run_id for one in models if CHAMPION in one.aliases]
    audits = {run_id: read_audit(backend, run_id) for run_id in {best.run.run_id, *champions}}
    return Study(
        setting=setting,
        scored=by_id,
        comparison=comparison,
        table=leaderboard(comparison, by_id),
        facts=facts_of(comparison, setting, scored),
        files=_files(backend, best.run.run_id, names),
        models=models,
        about=_about(backend, models),
        audits={run_id: one for run_id, one in audits.items() if one is not None and one.run_id == run_id},
    )


def _files(backend: Backend, run_id: str, names: list[str]) -> dict[str, bytes]:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            try:
                found[name] = read_bytes(backend.artifact(run_id, name, Path(folder)))
            except (OSError, SerError) as error:
                log.debug("run %s left no %s (%s)", run_id, name, reason(error))
    return found


def _about(backend: Backend, models: list[Registered]) -> dict[str, Any]:
    champion = next((one for one in models if CHAMPION in one.aliases), None)
    if champion is None:
        return {}
    try:
        found = read_json(backend.model_folder(f"models:/{champion.name}@{CHAMPION}") / ABOUT)
    except (OSError, SerError) as error:
        log.warning("what the model %s says of itself cannot be read (%s)", champion.name, reason(error))
        return {}
    return found if isinstance(found, dict) else {}
