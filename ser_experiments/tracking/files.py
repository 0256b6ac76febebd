"""The files that a run leaves: texts, tables and pictures, each under its name in a folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ser_experiments import doing
from ser_experiments.csvfile import write_csv
from ser_experiments.tracking.record import Dataset, Maker, RunRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)
#: Characters that every store takes of a dataset's columns.
_LONGEST_SCHEMA = 1_000_000
#: Column types as MLflow's datasets name them, by numpy's names.
_TYPES = {"float32": "float", "float64": "double", "int32": "integer", "int64": "long", "bool": "boolean"}


def write_files(folder: Path, record: RunRecord) -> None:
    """Write the texts and tables of a run, each under its name, to a folder."""
    for name, text in record.texts.items():
        _place(folder, name).write_text(text, encoding="utf-8")
    for name, frame in record.tables.items():
        write_csv(frame, _place(folder, name))


def write_pictures(folder: Path, pictures: Mapping[str, Maker]) -> None:
    """Write what makers make to a folder; what is nice to have and fails is a warning."""
    for done, (name, make) in enumerate(pictures.items()):
        doing.stage("drawing", done, len(pictures), note=Path(name).stem)
        try:
            made = make()
            if isinstance(made, pd.DataFrame):
                write_csv(made, _place(folder, name))
            elif made is not None:
                _draw(made, _place(folder, name))
        except Exception as error:  # nice to have: none of them may stop a run
            log.warning("%s was not logged (%s: %s)", name, type(error).__name__, error)


def _draw(figure: Figure, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    # Not savefig: that draws a figure twice, the first time to lay it out. Pressed harder, files are a tenth smaller
    # and take twice as long.
    FigureCanvasAgg(figure).print_png(path, pil_kwargs={"compress_level": 3})


def _place(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def described_dataset(dataset: Dataset) -> dict[str, str]:
    """Return a dataset as MLflow keeps one."""
    columns = dataset.columns.items()
    schema = [{"type": _TYPES[kind], "name": name, "required": True} for name, kind in columns if kind in _TYPES]
    profile = {"num_rows": dataset.n_rows, "num_elements": dataset.n_rows * len(schema)}
    told = json.dumps({"mlflow_colspec": schema})
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "source_type": "code",
        "source": json.dumps({"tags": {"corpus": dataset.source}}),
        # Of thousands of columns with long names, the profile says how many there are.
        "schema": told if len(told) <= _LONGEST_SCHEMA else json.dumps({"mlflow_colspec": []}),
        "profile": json.dumps(profile),
    }
