"""A model of numbers on scales answers alike in Python, on the command line, over HTTP and through MLflow."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression

from ser_experiments import project, timeline
from ser_experiments.audio import read_audio
from ser_experiments.cli import ser
from ser_experiments.errors import InputError
from ser_experiments.serving import AudioModel, TableModel, load_folder, save_model
from ser_experiments.serving.http import worker
from ser_experiments.serving.http.body import JSON
from ser_experiments.serving.http.lanes import Asked
from ser_experiments.serving.pyfunc import _load_pyfunc
from ser_experiments.tasks.dimensions import Dimensions
from ser_experiments.tracking import RunRecord, start
from tests.served import KNOWN, encoded, model_of_dimensions, serving, small_model, voice

NAMES = ("valence", "arousal", "dominance")
CLIP = encoded(voice(2.0))
FIELDS = ["values", "intervals", "warnings", "error"]
NOTE = {"name": "x", "setting": "s", "rows": "r", "tags": {}, "note": ""}


def call(*arguments: str) -> Result:
    return CliRunner().invoke(ser, list(arguments))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("dimensions")
    model_of_dimensions(made / "model")
    return made / "model"


@pytest.fixture(scope="module")
def model(folder: Path) -> AudioModel:
    return load_folder(folder)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    (tmp_path / "clip.wav").write_bytes(CLIP)
    return tmp_path / "clip.wav"


def test_what_was_saved_answers_with_its_intervals(folder: Path, model: AudioModel) -> None:
    assert json.loads((folder / "model.json").read_text())["task"] == {"kind": "dimensions", "targets": list(NAMES)}
    assert model.task == Dimensions(NAMES)
    good, bad = model.predict([CLIP, b"no audio"])
    assert list(good) == list(bad) == FIELDS
    heard = model.features(*read_audio(CLIP)).assign(group="")
    expected = dict(zip(NAMES, model.estimator.predict(heard)[0], strict=True))
    assert good["values"] == pytest.approx(expected)
    for name, (low, high) in good["intervals"].items():
        assert [low, high] == pytest.approx([expected[name] + end for end in KNOWN["residuals"][name]])
    assert (bad["values"], bad["intervals"], bad["warnings"]) == ({}, {}, [])
    assert "unreadable audio" in bad["error"]


def test_lines_json_and_csv_of_the_command(folder: Path, model: AudioModel, clip: Path) -> None:
    (expected,) = model.predict([clip])
    often = ("predict", str(clip), "--model", str(folder))
    value, (low, high) = expected["values"]["valence"], expected["intervals"]["valence"]
    (line,) = call(*often).stdout.splitlines()
    assert line.startswith(f"valence {value:.2f} ({low:.2f} to {high:.2f})  arousal ")
    assert line.endswith(f")  {clip}")
    assert json.loads(call(*often, "--json").stdout) == [{"path": str(clip), **expected}]
    read = pd.read_csv(io.StringIO(call(*often, "--csv").stdout)).iloc[0]
    ends = [f"{name}_{end}" for name in NAMES for end in ("low", "high")]
    assert list(read.index) == ["path", *(f"predicted_{name}" for name in NAMES), *ends, "warnings", "error"]
    assert [read["predicted_valence"], read["valence_low"], read["valence_high"]] == pytest.approx(
        [value, low, high], abs=1e-6
    )
    refused = call(*often, str(clip.parent / "away.wav"), "--csv")
    assert refused.exit_code == 1
    assert refused.stdout.splitlines()[2].split(",")[1:-2] == [""] * 9


def test_a_timeline_holds_curves_that_have_gaps(folder: Path, model: AudioModel, tmp_path: Path) -> None:
    pause = 1e-4 * np.random.default_rng(0).standard_normal(4 * 16_000).astype(np.float32)
    path = tmp_path / "call.wav"
    path.write_bytes(encoded(np.concatenate([voice(3.0), pause, voice(3.0, pitch=280.0)])))
    line = timeline(model, path, window_s=2.0, step_s=1.0)
    assert list(line.table) == ["start_s", "end_s", "speech", *(f"predicted_{name}" for name in NAMES)]
    assert line.spoken.tolist() == [True] * 3 + [False] * 4 + [True] * 3
    assert line.table.loc[~line.spoken, "predicted_valence"].isna().all()
    heard, rate = read_audio(path)
    first = model.values(heard[: 2 * rate], rate)
    np.testing.assert_allclose(line.table.loc[0, line.task.columns].to_numpy(float), first)
    # An interval is one of utterances, which windows are not.
    assert line.answers()[0] == {"values": dict(zip(NAMES, first, strict=True)), "intervals": {}}
    assert line.answers()[4] == model.task.no_answer
    spoken = line.table[line.spoken]
    mean = np.average(spoken["predicted_arousal"], weights=spoken["speech"])
    assert line.overall()["values"]["arousal"] == pytest.approx(mean)

    often = ("predict", str(path), "--model", str(folder), "--timeline", "--window", "2", "--step", "1")
    said = call(*often, "--picture", str(tmp_path / "drawn")).stdout.splitlines()
    assert said[1] == f"0:00.0-0:01.0  {model.task.line(line.answers()[0])}"
    assert said[5] == "0:04.0-0:05.0  -"
    assert (tmp_path / "drawn" / "call_timeline.png").stat().st_size > 10_000
    (whole,) = json.loads(call(*often, "--picture", "none", "--json").stdout)
    assert list(whole) == ["path", "values", "intervals", "warnings", "timeline", "error"]
    assert whole["timeline"][4] == {"start_s": 4.0, "end_s": 5.0, "speech": 0.0, "values": {}, "intervals": {}}
    read = pd.read_csv(io.StringIO(call(*often, "--picture", "none", "--csv").stdout))
    np.testing.assert_allclose(read["predicted_valence"], line.table["predicted_valence"], atol=1e-6)


def test_a_recording_in_which_nobody_speaks_has_no_answer_on_the_whole(model: AudioModel) -> None:
    noise = 0.01 * np.random.default_rng(0).standard_normal(4 * 16_000).astype(np.float32)
    line = timeline(model, encoded(np.concatenate([np.array([0.5], dtype=np.float32), 1e-3 * noise])))
    assert not line.spoken.any()
    assert line.overall() == model.task.no_answer


@pytest.mark.slow
def test_over_http(folder: Path, model: AudioModel, tmp_path: Path) -> None:
    with serving(folder, tmp_path / "log", "--workers", "1") as server:
        good, nothing = server.ask(CLIP, None).rows
    (expected,) = model.predict([CLIP])
    assert good == expected
    assert nothing == {"values": {}, "intervals": {}, "warnings": [], "error": "audio must be bytes, got nothing"}


def test_a_row_that_is_lost_is_answered_as_the_task_says(model: AudioModel) -> None:
    rows = [[base64.b64encode(CLIP).decode()], [None]]
    body = json.dumps({"dataframe_split": {"columns": ["audio"], "data": rows}}).encode()
    asked = Asked(body, JSON, 30.0)
    said = worker.answers(model, worker.Job(JSON, 0, 30.0), body, short=True)
    assert asked.hear(*next(said))
    assert asked.lose()
    assert asked.answers == [{**model.task.no_answer, "warnings": [], "error": "ended the process that measured it"}]
    late = list(worker.answers(model, worker.Job(JSON, 0, -1.0), body, short=True))
    assert [one[1]["values"] for one in late[1:-1]] == [{}, {}]


def test_through_mlflow(model: AudioModel, project_folder: Path) -> None:
    with start(project.find(), **NOTE) as run:
        uri = run.log(RunRecord(model=model))
    assert uri is not None
    loaded = mlflow.pyfunc.load_model(uri)
    answers = loaded.predict(pd.DataFrame({"audio": [CLIP, b"no audio"]}))
    (expected,) = model.predict([CLIP])
    assert list(answers) == FIELDS
    assert answers.iloc[0].to_dict() == expected
    assert answers["values"].iloc[1] == {}
    outputs = loaded.metadata.signature.outputs
    assert outputs.input_names() == FIELDS
    assert mlflow.models.Model.load(uri).signature == loaded.metadata.signature
    # MLflow's own reading of what comes out fits what does.
    enforced = mlflow.models.utils._enforce_schema(answers, outputs)
    assert enforced["intervals"].iloc[0]["valence"] == pytest.approx(expected["intervals"]["valence"])


def test_a_model_of_a_table() -> None:
    X = pd.DataFrame({"a": np.linspace(0, 1, 20), "b": 1.0})
    task = {"kind": "dimensions", "targets": ["valence"]}
    meta = {"task": task, "residuals": {"valence": [-1.0, 2.0]}, "experiment": "x", "setting": "s"}
    fitted = _WithoutGroup(RandomForestRegressor(5, random_state=0).fit(X, X["a"]))
    answers = TableModel(fitted, ["a", "b"], meta).predict(X.iloc[:3])  # type: ignore[arg-type]
    assert list(answers) == ["values", "intervals", "error"]
    first = answers["values"].iloc[0]["valence"]
    assert answers["intervals"].iloc[0] == {"valence": [first - 1.0, first + 2.0]}


class _WithoutGroup:
    """A regressor that leaves the column of groups alone, as estimators of this project do."""

    def __init__(self, fitted: RandomForestRegressor | LinearRegression) -> None:
        self._fitted = fitted

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return self._fitted.predict(X.drop(columns="group"))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("residuals", {"valence": [1.0, -1.0]}, "'residuals' must be low and high by target"),
        ("residuals", {"valence": [1.0]}, "'residuals' must be low and high by target"),
        ("residuals", {"valence": [None, 1.0]}, "'residuals' must be low and high by target"),
        ("residuals", {"valence": [float("nan"), 1.0]}, "'residuals' must be low and high by target"),
        ("residuals", {"valence": [False, True]}, "'residuals' must be low and high by target"),
        ("residuals", [[-1, 1]], "'residuals' must be low and high by target"),
        ("residuals", {"val\x1bence": [-1, 1]}, "residuals 'val.*' holds .* not printable"),
        ("scale", {"valence": 5}, "'scale' must be low and high by target"),
        ("task", {"kind": "dimensions", "targets": ["valence"]}, None),
        ("task", {"kind": "classes", "targets": list(NAMES)}, "RandomForestRegressor|gives no probabilities"),
    ],
)
def test_what_a_description_may_not_say(
    folder: Path, tmp_path: Path, field: str, value: object, message: str | None
) -> None:
    for name in ("model.json", "estimator.skops"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    told = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**told, field: value}))
    if message is None:
        # How many numbers an estimator answers with is known when it does.
        (answer,) = _load_pyfunc(str(tmp_path)).predict(pd.DataFrame({"audio": [CLIP]})).to_dict("records")
        assert answer["error"] == "the estimator answers with 3 numbers, the task has 1 targets"
        return
    with pytest.raises(InputError, match=message):
        load_folder(tmp_path)


def test_classes_are_not_answered_as_numbers(tmp_path: Path) -> None:
    small_model(tmp_path / "classes")
    told = json.loads((tmp_path / "classes" / "model.json").read_text())
    told["task"] = {"kind": "dimensions", "targets": ["valence"]}
    (tmp_path / "classes" / "model.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match="holds an estimator of classes"):
        load_folder(tmp_path / "classes")


def test_without_residuals_there_are_no_intervals() -> None:
    told = {"kind": "dimensions", "targets": ["valence", "arousal"]}
    X = pd.DataFrame({"a": np.arange(9.0)})
    fitted = LinearRegression().fit(X, np.column_stack([X["a"], -X["a"]]))
    for meta in ({"task": told}, {"task": told, "residuals": {"valence": [-1.0, 1.0]}}):
        answers = TableModel(_WithoutGroup(fitted), ["a"], meta).predict(X)  # type: ignore[arg-type]
        assert answers["values"].iloc[8] == pytest.approx({"valence": 8.0, "arousal": -8.0})
        assert answers["intervals"].iloc[8] == {}


def test_a_saved_model_of_a_table_is_read_again(tmp_path: Path) -> None:
    task = {"kind": "dimensions", "targets": ["valence"]}
    model = model_of_dimensions(names=["valence"])
    table = TableModel(model.estimator, list(model.features(*read_audio(CLIP))), {"task": task})
    save_model(table, tmp_path)
    again = _load_pyfunc(str(tmp_path))
    assert isinstance(again, TableModel)
    heard = model.features(*read_audio(CLIP))
    assert again.predict(heard)["values"].iloc[0] == model.predict(CLIP)[0]["values"]
