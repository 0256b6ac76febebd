"""What the pages of a store show of a setting: columns, words and charts, by tags that are written once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from ser_experiments import project
from ser_experiments.errors import StoreError
from ser_experiments.secret import hidden
from ser_experiments.tracking import RunRecord, View, connect, start
from ser_experiments.tracking.backends._mlflow import view as pages
from ser_experiments.tracking.backends._mlflow.database import Database
from ser_experiments.tracking.backends._mlflow.limits import MOST_TAG
from ser_experiments.tracking.backends.mlflow import Mlflow

VIEW = View("**words**", "uar", 1, ["wa"], ["fold_uar"])


def logged(name: str = "svm_lld C=1", view: View | None = VIEW) -> str:
    tags = {"ser.experiment": "svm_lld"}
    with start(project.find(), name=name, setting="demo", rows="r", tags=tags, note="", view=view) as run:
        run.log(RunRecord(metrics={"uar": 0.7}))
    return run.experiment_id


def tags_of(experiment_id: str) -> dict[str, str]:
    client = MlflowClient(f"sqlite:///{project.find().mlruns / 'mlflow.db'}")
    return dict(client.get_experiment(experiment_id).tags)


def test_a_setting_is_described_and_opens_with_its_score_first(project_folder: Path) -> None:
    tags = tags_of(logged())
    assert tags["mlflow.note.content"] == "**words**"
    state = json.loads(tags["mlflow.sharedViewState.ser"])
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`uar`", False)
    assert state["selectedColumns"][:4] == [
        "metrics.`uar`",
        "metrics.`uar_ci_low`",
        "metrics.`uar_ci_high`",
        "params.`features`",
    ]
    charts = [(one["type"], one["metricKey"]) for one in state["compareRunCharts"]]
    assert charts == [("BAR", "uar"), ("BAR", "wa"), ("LINE", "fold_uar")]


def test_a_score_of_which_less_is_better_begins_with_the_least() -> None:
    assert pages.state_of(View("", "cross_entropy", -1))["orderByAsc"] is True


def test_settings_of_older_versions_get_it_and_words_of_users_stay(project_folder: Path) -> None:
    experiment_id = logged(view=None)
    assert set(tags_of(experiment_id)) == {"ser.rows", "mlflow.experimentKind"}
    client = MlflowClient(f"sqlite:///{project.find().mlruns / 'mlflow.db'}")
    client.set_experiment_tag(experiment_id, "mlflow.note.content", "mine")
    assert logged() == experiment_id
    tags = tags_of(experiment_id)
    assert tags["mlflow.note.content"] == "mine"
    assert "mlflow.sharedViewState.ser" in tags


def test_nothing_is_written_again(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged()
    written: list[object] = []
    monkeypatch.setattr(Database, "tag_setting", lambda *told: written.append(told))
    logged()
    assert written == []


def test_whoever_may_not_tag_runs_all_the_same(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("PERMISSION_DENIED")

    monkeypatch.setattr(Mlflow, "show", refuse)
    logged()
    (setting,) = connect(project.find()).settings()
    assert setting.latest.metrics == {"uar": 0.7}


@pytest.mark.parametrize("tracker", ["mlflow", "json"])
def test_runs_are_looked_up_by_their_experiment(
    project_folder: Path, monkeypatch: pytest.MonkeyPatch, tracker: str
) -> None:
    monkeypatch.setenv("SER_TRACKER", tracker)
    logged()
    (setting,) = connect(project.find()).settings()
    assert setting.latest.name == "svm_lld"


def test_the_link_leads_to_the_view_where_there_is_one(project_folder: Path) -> None:
    experiment_id = logged(view=None)
    store, at = connect(project.find()), f"http://localhost:5000/#/experiments/{experiment_id}/runs"
    assert store.link(experiment_id) == ""
    assert store.link(experiment_id, "http://localhost:5000") == at
    logged()
    shown = store.link(experiment_id, "http://localhost:5000/")
    assert shown == f"{at}?viewStateShareKey=ser"
    # It is printed through what hides secrets of addresses.
    assert hidden(shown) == shown
    assert hidden(f"{shown}1&token=abc") != f"{shown}1&token=abc"


def test_many_charts_still_make_a_tag_that_can_be_read() -> None:
    view = View("words", "uar", 1, [f"a_long_name_of_a_score_{i}" for i in range(60)])
    text = pages.new_tags(view, {})[pages.TAG]
    assert len(text) <= MOST_TAG
    assert json.loads(text)["compareRunCharts"][0]["metricKey"] == "uar"
