"""How MLflow's pages open on the runs of a setting: the columns, their order, and the charts.

MLflow keeps what its button *Share* shares as a tag of the experiment, ``mlflow.sharedViewState.KEY``; an address that
ends in ``?viewStateShareKey=KEY`` opens so. What a user chooses in the pages stays in the user's browser, and is not
touched by a tag: the plain address of an experiment opens as its user left it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ser_experiments.tracking.backend import NOTE
from ser_experiments.tracking.backends._mlflow.limits import MOST_TAG
from ser_experiments.tracking.view import View

#: One key for every version, so that links stay good.
KEY = "ser"
TAG = f"mlflow.sharedViewState.{KEY}"
#: Pixels of a column that holds a number, or words.
_NUMBER, _WORDS = 100, {"features": 90, "model": 80, "changes": 130, "seed": 60}
#: Sections of the charts; MLflow adds those of all other metrics to its own, which is closed to begin with.
_SCORES, _FOLDS, _REST = "Scores", "Folds, one a step", "Model metrics"


def new_tags(view: View, known: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that an experiment lacks; words that stand there already are perhaps its user's and stay."""
    state = _text(state_of(view))
    told = {TAG: state} if known.get(TAG) != state else {}
    return told if known.get(NOTE) else {**told, NOTE: view.note}


def link(address: str, setting_id: str, known: Mapping[str, str]) -> str:
    """Return the address of the runs of an experiment; of one without a view the plain one."""
    query = f"?viewStateShareKey={KEY}" if TAG in known else ""
    return f"{address.rstrip('/')}/#/experiments/{setting_id}/runs{query}"


def state_of(view: View) -> dict[str, Any]:
    """Return the state of MLflow's page, in its words."""
    numbers = [f"metrics.`{name}`" for name in (view.score, f"{view.score}_ci_low", f"{view.score}_ci_high")]
    others = [f"metrics.`{name}`" for name in view.others]
    words = [f"params.`{name}`" for name in _WORDS]
    columns = [*numbers, *words, *others[:2]]
    return {
        "searchFilter": "",
        "orderByKey": numbers[0],
        "orderByAsc": view.better < 0,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        "datasetsFilter": [],
        "selectedColumns": columns,
        "columnOrder": columns,
        "columnWidths": {
            **dict.fromkeys([*numbers, *others[:2]], _NUMBER),
            **{f"params.`{name}`": width for name, width in _WORDS.items()},
        },
        "runsExpanded": {},
        "runsPinned": [],
        "runsHidden": [],
        "runsVisibilityMap": {},
        "runsHiddenMode": "FIRST_20_RUNS",
        "viewMaximized": False,
        "runListHidden": False,
        "groupBy": None,
        "groupsExpanded": {},
        "useGroupedValuesInCharts": True,
        "autoRefreshEnabled": True,
        "hideEmptyCharts": True,
        "isAccordionReordered": True,
        "compareRunSections": [
            {"uuid": name, "name": name, "display": name != _REST, "isReordered": True, "deleted": False}
            for name in (_SCORES, _FOLDS, _REST)
        ],
        "compareRunCharts": list(_charts(view)),
    }


def _text(state: Mapping[str, Any]) -> str:
    """Return the state as a tag holds it; charts that make it too long are left out, MLflow adds its own for them."""
    charts = list(state["compareRunCharts"])
    while True:
        text = json.dumps({**state, "compareRunCharts": charts}, separators=(",", ":"))
        if len(text) <= MOST_TAG or not charts:
            return text
        charts.pop()


def _charts(view: View) -> Iterator[dict[str, Any]]:
    kept = {"deleted": False, "isGenerated": False}
    for name in (view.score, *view.others):
        about = {"type": "BAR", "uuid": f"bar-{name}", "metricSectionId": _SCORES, "runsCountToCompare": 20}
        yield {**about, **kept, "metricKey": name}
    for name in view.by_fold:
        about = {"type": "LINE", "uuid": f"line-{name}", "metricSectionId": _FOLDS, "runsCountToCompare": 20}
        axes = {"xAxisKey": "step", "lineSmoothness": 0, "scaleType": "linear", "xAxisScaleType": "linear"}
        yield {**about, **kept, **axes, "metricKey": name, "selectedMetricKeys": [name], "displayPoints": True}
