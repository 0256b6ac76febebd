"""The MLflow UI in a real headless Chromium: the runs of a setting stand side by side with their metrics."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from ser_experiments import project
from ser_experiments.evaluation.plots import plot_confusion
from ser_experiments.frames import Predictions
from ser_experiments.tracking import RunRecord, start
from tests.browser import browser, free_port, shoot, wait_for
from tests.served import wait_until_answered

__all__ = ["browser"]

pytestmark = pytest.mark.slow


@pytest.fixture
def ui(project_folder: Path, tmp_path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Serve a store with two runs of one setting through `ser ui`."""
    ids = []
    experiment = ""
    for name, uar in (("svm_lld", 0.7123), ("xgb_lld", 0.6789)):
        with start(project.find(), name=name, setting="demo-4class", rows="r", tags={}, note="**words**") as run:
            ids_of = pd.Index([f"u{i}" for i in range(12)], name="utterance_id")
            answers = pd.DataFrame({"label": list("aaaaaabbbbbb"), "predicted": list("aaaaabaabbbb")}, index=ids_of)
            drawn = partial(plot_confusion, Predictions.of_classes(answers), name)
            pictures = {"plots/confusion_matrix.png": drawn}
            metrics = {"uar": uar, "wa": uar + 0.01}
            run.log(RunRecord(params={"model": name.split("_")[0]}, metrics=metrics, pictures=pictures))
            ids.append(run.run_id)
            experiment = run.experiment_id
    port = free_port()
    command = [sys.executable, "-c", "from ser_experiments.cli import main; main()", "ui", "--port", str(port)]
    log = tmp_path / "ui.log"
    with log.open("wb") as said:
        server = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_answered(f"{url}/health", server, log)
        yield url, experiment, ids
    finally:
        os.killpg(server.pid, 15)
        server.wait(60)


def test_runs_stand_side_by_side(ui: tuple[str, str, list[str]], browser: object) -> None:
    url, experiment, ids = ui
    browser.get(f"{url}/#/experiments/{experiment}/runs")  # type: ignore[attr-defined]
    wait_for(browser, "svm_lld", "xgb_lld")
    shoot(browser, "runs")
    runs = ",".join(f'"{run}"' for run in ids)
    browser.get(f'{url}/#/compare-runs?runs=[{runs}]&experiments=["{experiment}"]')  # type: ignore[attr-defined]
    wait_for(browser, "svm_lld", "xgb_lld", "uar", "0.712", "0.679")
    shoot(browser, "compare")
    browser.get(f"{url}/#/experiments/{experiment}/runs/{ids[0]}/artifacts/plots/confusion_matrix.png")  # type: ignore[attr-defined]
    wait_for(browser, "confusion_matrix.png")
    script = "return [...document.images].some(i => i.naturalWidth > 300 && i.complete)"
    for _ in range(40):
        if browser.execute_script(script):  # type: ignore[attr-defined]
            break
        time.sleep(0.5)
    shoot(browser, "confusion")
    assert browser.execute_script(script)  # type: ignore[attr-defined]
