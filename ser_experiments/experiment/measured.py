"""What is measured for a run: the feature table, and what is known of the recordings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from ser_experiments.experiment.definition import Experiment
from ser_experiments.experiment.estimator import features_of, views_of
from ser_experiments.experiment.request import RunRequest
from ser_experiments.features import feature_table, read_table, survey

if TYPE_CHECKING:
    from ser_experiments.project import Project

#: What a recording is recognised by.
_TRACES = ("samples_digest", "content", "envelope")
Progress = Callable[..., None]


class Measured:
    """A feature table with what is known of its recordings, of which some may have been left out."""

    def __init__(
        self, table: pd.DataFrame, facts: pd.DataFrame, sets: dict[str, dict[str, object]], *, ready_made: bool = False
    ) -> None:
        self.table, self.sets = table, sets
        self.skipped: dict[str, str] = dict(table.attrs.get("skipped", {}))
        self._facts, self._ready_made = facts, ready_made

    def traces(self, index: pd.Index) -> dict[str, Any]:
        """Return what tells that two of some utterances are one recording: the recordings, and numbers of others."""
        known = self._facts.loc[index]
        # Files that cannot be read, such as empty ones, may be equal without being one recording.
        found = {name: known[name].where(known["problem"].isna(), None) for name in _TRACES}
        return found | ({"table": self.table.loc[index]} if self._ready_made else {})

    def facts_of(self, index: pd.Index) -> pd.DataFrame | None:
        """Return what is known of the recordings of some utterances, but for what they are recognised by."""
        return None if self._ready_made else self._facts.loc[index].drop(columns=list(_TRACES[1:]))

    @property
    def notes(self) -> list[str]:
        """Say that recordings beside a ready-made table cannot be read: nobody knows whether they are copies."""
        bad = self._facts.index[self._facts["problem"].notna()]
        if not self._ready_made or bad.empty:
            return []
        return [
            f"{len(bad)} of {len(self._facts)} recordings cannot be read (e.g. {bad[0]!r}): whether they are copies of "
            "others is told by the numbers of the table alone"
        ]


def measure(
    request: RunRequest, experiment: Experiment, utterances: pd.DataFrame, project: Project, progress: Progress | None
) -> Measured:
    """Measure the sets of an experiment, or read the ready-made table instead."""
    told = {"cache": project.cache, "jobs": request.jobs}
    if request.table is not None:
        # Whoever made the table, two of its rows may be of one recording that was encoded twice.
        table = read_table(request.table, utterances, allow=request.allow_columns)
        return Measured(table, survey(utterances, envelopes=True, progress=progress, **told), {}, ready_made=True)
    sets = features_of(experiment)
    wanted = sets | views_of(experiment)
    table = feature_table(list(wanted), utterances, params=wanted, skip_bad=request.skip_bad, progress=progress, **told)
    return Measured(table, survey(utterances.loc[table.index], envelopes=True, **told), sets)
