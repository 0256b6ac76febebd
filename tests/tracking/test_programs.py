"""Programs that use MLflow themselves find the runs, and keep the store that they wish for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOG = """
from ser_experiments import project
from ser_experiments.tracking import RunRecord, connect, start
def log(folder=None):
    with start(project.find(), name="a", setting="s", rows="r", tags={"ser.experiment": "a"}, note="") as run:
        run.log(RunRecord(metrics={"uar": 0.5}))
log()
"""
CHILD = "import json, os; print(json.dumps([os.environ.get(f'MLFLOW_{n}_URI') for n in ('TRACKING', 'REGISTRY')]))"
FIND = f"""
import json, mlflow, subprocess, sys
CHILD = {CHILD!r}
found = mlflow.search_runs(search_all_experiments=True)
child = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
print(json.dumps([len(found), mlflow.get_tracking_uri(), mlflow.get_registry_uri(), json.loads(child.stdout)]))
"""
OWN = "import mlflow; mlflow.set_tracking_uri('sqlite:///own.db')\n"
WISH = "import os; os.environ['MLFLOW_TRACKING_URI'] = 'sqlite:///own.db'\n"
ELSEWHERE = "import os; os.makedirs('other'); open('other/ser.toml', 'w').close(); os.chdir('other'); log()\n"


slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("program", "n_runs", "uri", "left"),
    [
        pytest.param(LOG + FIND, 1, "{}/mlruns/mlflow.db", None, marks=slow, id="imported after a run"),
        pytest.param("import mlflow\n" + LOG + FIND, 1, "{}/mlruns/mlflow.db", None, marks=slow, id="imported before"),
        pytest.param(
            LOG + ELSEWHERE + FIND, 1, "{}/other/mlruns/mlflow.db", None, marks=slow, id="of the last project"
        ),
        pytest.param(OWN + LOG + FIND, 1, "own.db", "own.db", marks=slow, id="its own store before a run"),
        pytest.param(LOG + OWN + LOG + FIND, 1, "own.db", "own.db", marks=slow, id="its own store between two"),
        pytest.param(LOG + WISH + FIND, 0, "own.db", "own.db", marks=slow, id="its own wish after a run"),
    ],
)
def test_a_program_finds_what_was_logged(
    project_folder: Path, program: str, n_runs: int, uri: str, left: str | None
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    store = f"sqlite:///{uri.format(project_folder)}"
    wished = None if left is None else f"sqlite:///{left}"
    # A child sees what the program itself wished for, and nothing else.
    assert json.loads(done.stdout.splitlines()[-1]) == [n_runs, store, store, [wished, None]]
