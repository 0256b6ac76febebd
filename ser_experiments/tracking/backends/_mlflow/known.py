"""Names in MLflow's SQLite file, read without MLflow; of a server none is known."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from ser_experiments.project import Project
from ser_experiments.tracking.known import MOST_RUNS, Known

#: A shell does not wait for a file that another process holds.
_WAIT_S = 0.2
_SETTINGS = """
    SELECT name FROM experiments WHERE lifecycle_stage = 'active' AND EXISTS
    (SELECT 1 FROM runs WHERE runs.experiment_id = experiments.experiment_id AND runs.lifecycle_stage = 'active')
    ORDER BY experiment_id DESC
"""
_RUNS = """
    SELECT substr(run_uuid, 1, 8), runs.name || ', ' || lower(status) FROM runs
    WHERE lifecycle_stage = 'active'
    AND NOT EXISTS (SELECT 1 FROM tags WHERE tags.run_uuid = runs.run_uuid AND key = 'mlflow.parentRunId')
    ORDER BY start_time DESC LIMIT ?
"""
_MODELS = """
    SELECT name || '@' || alias, 'version ' || version FROM registered_model_aliases
    UNION ALL SELECT name || '/' || version, 'version' FROM model_versions ORDER BY 1
"""


def known(project: Project) -> Known:
    """Return the names in a project's own file; none where the runs are kept elsewhere."""
    file = project.mlruns / "mlflow.db"
    if os.environ.get("MLFLOW_TRACKING_URI") or not file.is_file():
        return Known()
    address = f"{file.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=_WAIT_S)) as rows:
        return Known(
            tuple(name for (name,) in rows.execute(_SETTINGS)),
            tuple(rows.execute(_RUNS, [MOST_RUNS])),
            tuple(rows.execute(_MODELS)),
        )
