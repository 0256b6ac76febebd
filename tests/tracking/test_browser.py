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
from ser_experiments.tracking import RunRecord, View, start
from ser_experiments.tracking.record import Stepped
from tests.browser import browser, free_port, shoot, wait_for
from tests.served import wait_until_answered

__all__ = ["browser"]

pytestmark = pytest.mark.slow


@pytest.fixture
def ui(project_folder: Path, tmp_path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Serve a store with two runs of one setting through `ser ui`."""
    ids = []
    experiment = ""
    view = View("Runs on **demo** that can be compared", "uar", 1, ["wa"], ["fold_uar"])
    for name, uar in (("svm_lld C=1", 0.7123), ("xgb_lld", 0.6789)):
        tags, about = {"ser.experiment": name.split()[0]}, {"setting": "demo-4class", "rows": "r", "note": "**words**"}
        with start(project.find(), name=name, tags=tags, view=view, **about) as run:
            ids_of = pd.Index([f"u{i}" for i in range(12)], name="utterance_id")
            answers = pd.DataFrame({"label": list("aaaaaabbbbbb"), "predicted": list("aaaaabaabbbb")}, index=ids_of)
            drawn = partial(plot_confusion, Predictions.of_classes(answers), name)
            pictures = {"plots/confusion_matrix.png": drawn}
            metrics = {"uar": uar, "wa": uar + 0.01}
            metrics |= {"uar_ci_low": uar - 0.1, "uar_ci_high": uar + 0.1, "fit_s": 0.5}
            params = {"model": name.split("_")[0], "features": "lld", "changes": "model.C=1", "seed": "7"}
            folds = [Stepped("fold_uar", step, uar) for step in (1, 2, 3)]
            run.log(RunRecord(params=params, metrics=metrics, stepped=folds, pictures=pictures))
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


def test_the_link_that_is_printed_opens_columns_words_and_charts(
    ui: tuple[str, str, list[str]], browser: object, tmp_path: Path
) -> None:
    url, experiment, _ = ui
    link = f"{url}/#/experiments/{experiment}/runs?viewStateShareKey=ser"
    for _ in range(60):
        said = (tmp_path / "ui.log").read_text()
        if f"demo-4class: {link}" in said:
            break
        time.sleep(0.5)
    assert f"demo-4class: {link}" in said
    browser.get(link)  # type: ignore[attr-defined]
    page = wait_for(browser, "Runs on demo that can be compared", "svm_lld C=1", "xgb_lld", "0.7123", "uar_ci_low")
    assert page.index("svm_lld C=1") < page.index("xgb_lld")
    # The cells of a wide table are made as they come into sight; where they stand is said by all headings.
    places = browser.execute_script(  # type: ignore[attr-defined]
        "return [...document.querySelectorAll('.ag-header-cell')]"
        ".map(cell => [cell.getAttribute('col-id'), cell.getBoundingClientRect().x])"
    )
    order = [name for name, _ in sorted(places, key=lambda place: place[1]) if name.startswith(("metrics", "params"))]
    wanted = ["metrics.`uar`", "metrics.`uar_ci_low`", "metrics.`uar_ci_high`", "params.`features`", "params.`model`"]
    assert order[:5] == wanted
    shoot(browser, "link")
    # An address that says how the table is sorted opens as it says; a fresh page takes the link.
    browser.get("about:blank")  # type: ignore[attr-defined]
    browser.get(f"{link}&compareRunsMode=CHART")  # type: ignore[attr-defined]
    page = wait_for(browser, "Scores", "Folds, one a step", "Model metrics")
    assert page.index("Scores") < page.index("Folds, one a step") < page.index("Model metrics")
    shoot(browser, "charts")
