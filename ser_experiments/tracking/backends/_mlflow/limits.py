"""What MLflow takes, and the tags that say what belongs together; the same whoever writes a run's rows."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from ser_experiments.errors import StoreError

#: So many values at once, and texts of so many characters.
BATCH, _MOST_PARAM, _MOST_TAG = 100, 500, 5000
#: Names of parameters, metrics and tags.
_MOST_NAME, _NAME = 250, re.compile(r"[/\w.\- :]+")
#: Which step of which outbox made a nested run: it is not made twice when the step is done again.
STEP_TAG = "ser.step"
#: What stopped a run.
ERROR_TAG = "ser.error"
#: What a dataset is to a run.
DATASET_TAG = ("mlflow.data.context", "training")


def of_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags that are no longer than MLflow takes."""
    return {key: value[:_MOST_TAG] for key, value in tags.items()}


def of_params(params: Mapping[str, str]) -> dict[str, str]:
    """Return parameters that are no longer than MLflow takes."""
    return {key: value[:_MOST_PARAM] for key, value in params.items()}


def check_names(names: Iterable[str]) -> None:
    """Refuse a name that MLflow refuses.

    Raises
    ------
    StoreError
        It is too long, has other characters, or would be a path that leads elsewhere.
    """
    for name in names:
        path = posixpath.normpath(name)
        leads_elsewhere = path != name or path == "." or path.startswith(("..", "/"))
        if len(name) > _MOST_NAME or leads_elsewhere or not _NAME.fullmatch(name):
            raise StoreError(
                f"MLflow takes no parameter, metric or tag called {name!r}; allowed are {_MOST_NAME} letters, digits, "
                "spaces and _ - . : and / between them"
            )
