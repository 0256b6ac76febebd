"""What waits to be logged is logged as it was written, or is set aside and named; it never stops anything else."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ser_experiments import project
from ser_experiments.cli import ser
from ser_experiments.errors import StoreError
from ser_experiments.tracking import connect, start
from ser_experiments.tracking.backend import StoreAway
from ser_experiments.tracking.backends._mlflow.answers import is_away
from ser_experiments.tracking.outbox import Outbox, home
from ser_experiments.tracking.sync import deliver_abandoned
from tests.tracking.test_outbox import RUN, everything_is_there, logged_away_from, outboxes


def aside() -> list[str]:
    folder = project.find().mlruns / "damaged"
    return sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []


def step_of(folder: Path) -> Path:
    return folder / "000004-artifacts" / "step.json"


def lose_a_file(folder: Path) -> None:
    (folder / "000004-artifacts" / "files" / "predictions.csv").unlink()


def alter_a_file(folder: Path) -> None:
    file = folder / "000004-artifacts" / "files" / "predictions.csv"
    text = file.read_text()
    file.write_text(text.replace("1", "7"))
    assert file.stat().st_size == len(text)


def add_a_file(folder: Path) -> None:
    (folder / "000004-artifacts" / "files" / "more.csv").write_text("x")


def alter_a_metric(folder: Path) -> None:
    step = folder / "000002-metrics" / "step.json"
    assert '["uar", 0.5, ' in step.read_text()
    step.write_text(step.read_text().replace('["uar", 0.5, ', '["uar", 0.9, '))


def lose_a_step(folder: Path) -> None:
    step_of(folder).unlink()


def lose_a_step_with_its_folder(folder: Path) -> None:
    shutil.rmtree(step_of(folder).parent)


def half_a_step(folder: Path) -> None:
    step_of(folder).write_text('{"kind": ')


def an_empty_step(folder: Path) -> None:
    step_of(folder).write_text("{}")


def a_deep_step(folder: Path) -> None:
    step_of(folder).write_text("[" * 100_000)


def other_arguments(folder: Path) -> None:
    for arguments in ({"values": 5}, []):
        (folder / "000002-metrics" / "step.json").write_text(json.dumps({"kind": "metrics", "arguments": arguments}))


def no_arguments(folder: Path) -> None:
    (folder / "000002-metrics" / "step.json").write_text(json.dumps({"kind": "metrics", "arguments": {}}))


STEPS = [
    lose_a_file, alter_a_file, add_a_file, alter_a_metric, lose_a_step, lose_a_step_with_its_folder, half_a_step,
    an_empty_step, a_deep_step, other_arguments, no_arguments,
]  # fmt: skip


@pytest.mark.parametrize("damage", STEPS)
def test_a_run_that_lost_a_part_is_not_finished(project_folder: Path, damage: Callable[[Path], None]) -> None:
    run_id = logged_away_from(1).run_id
    (name,) = outboxes()
    damage(home(project.find()) / name)
    others = [logged_away_from(1).run_id for _ in range(2)]
    backend = connect(project.find())
    with pytest.raises(StoreError, match=f"results of xgb_lld are damaged and are set aside in .*{name}: ") as told:
        deliver_abandoned(project.find(), backend)
    assert "\n" not in str(told.value)
    assert (outboxes(), aside()) == ([], [name])
    for other in others:
        everything_is_there(other)
    found = backend.client.get_run(run_id)
    assert found.info.status == "FAILED"
    assert "damaged before they could be logged" in found.data.tags["ser.error"]
    assert found.data.metrics.get("uar") in (None, 0.5)
    # It is said once.
    assert deliver_abandoned(project.find(), backend) == []


def test_a_step_that_could_not_be_kept_is_no_gap(project_folder: Path) -> None:
    def refuse(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    outbox = Outbox.create(project.find(), {"uri": "u", "name": "n", "experiment_id": "1"})
    outbox.put("params", {"C": 1})
    with pytest.raises(StoreError, match="No space left"):
        outbox.put("artifacts", {"names": []}, refuse)
    outbox.put("end", {"status": "FAILED", "error": "full", "time": 1})
    assert [(step.kind, step.damage) for step in outbox.waiting()] == [("params", ""), ("end", "")]


def half_about(path: Path) -> None:
    path.write_text('{"uri": ')


def about_a_list(path: Path) -> None:
    path.write_text("[]")


def about_deep(path: Path) -> None:
    path.write_text("[" * 100_000)


def about_numbers(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "experiment_id": [1], "name": 5}))


def about_another_run(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "run_id": "f" * 32}))


@pytest.mark.parametrize("damage", [half_about, about_a_list, about_deep, about_numbers, about_another_run])
def test_an_outbox_of_which_nobody_knows_whose_it_is(project_folder: Path, damage: Callable[[Path], None]) -> None:
    logged_away_from(1)
    (name,) = outboxes()
    other = logged_away_from(1).run_id
    damage(home(project.find()) / name / "run.json")
    with pytest.raises(StoreError, match="are damaged and are set aside in .*run.json"):
        deliver_abandoned(project.find(), connect(project.find()))
    assert (outboxes(), aside()) == ([], [name])
    everything_is_there(other)


@pytest.mark.slow
def test_no_flipped_bit_of_what_waits_changes_what_is_logged(project_folder: Path) -> None:
    draw, backend = random.Random(0), connect(project.find())
    statuses = set()
    for _ in range(25):
        run_id = logged_away_from(1).run_id
        (name,) = outboxes()
        files = sorted(
            path for path in (home(project.find()) / name).rglob("*") if path.is_file() and path.stat().st_size
        )
        path = draw.choice(files)
        content = bytearray(path.read_bytes())
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(bytes(content))
        try:
            deliver_abandoned(project.find(), backend)
        except StoreError:
            assert outboxes() == []
        status = backend.status(run_id)
        statuses.add(status)
        if status == "FINISHED":
            everything_is_there(run_id)
    assert "FAILED" in statuses


def test_a_run_goes_on_beside_a_damaged_outbox(project_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    logged_away_from(1)
    (name,) = outboxes()
    half_about(home(project.find()) / name / "run.json")
    with start(project.find(), **RUN) as run:
        pass
    assert connect(project.find()).status(run.run_id) == "FINISHED"
    assert "set aside" in caplog.text
    done = CliRunner().invoke(ser, ["sync"])
    assert (done.exit_code, done.output) == (0, "nothing was left to log\n")


def test_steps_of_a_version_that_noted_sizes_are_logged(project_folder: Path) -> None:
    run_id = logged_away_from(1).run_id
    (name,) = outboxes()
    for step in (home(project.find()) / name).glob("*/step.json"):
        told = json.loads(step.read_text())
        sizes = {one.name: one.stat().st_size for one in (step.parent / "files").iterdir()}
        step.write_text(json.dumps({"kind": told["kind"], "arguments": told["arguments"], "sizes": sizes}))
    deliver_abandoned(project.find(), connect(project.find()))
    everything_is_there(run_id)


def test_what_is_left_of_an_outbox_that_is_none_is_swept(project_folder: Path) -> None:
    old, young, other = (home(project.find()) / name for name in ("a" * 32, "b" * 32, "notes"))
    for folder in (old, young, other):
        (folder / ".000001").mkdir(parents=True)
        if folder is not young:
            os.utime(folder, (0, 0))
    assert deliver_abandoned(project.find(), connect(project.find())) == []
    assert outboxes() == sorted([young.name, other.name])


def test_what_lies_where_outboxes_lie_and_is_none(project_folder: Path) -> None:
    folder = home(project.find())
    (folder / "a folder").mkdir(parents=True)
    (folder / "a file").touch()
    (folder / "a link").symlink_to("/nowhere")
    os.mkfifo(folder / "a pipe")
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "run.json")
    assert deliver_abandoned(project.find(), connect(project.find())) == []


@pytest.mark.parametrize(
    ("said", "away"),
    [
        ("API request to endpoint /api failed with error code 403 != 200. Response body: ''", False),
        ("API request to endpoint /api failed with error code 413 != 200. Response body: ''", False),
        ("API request to endpoint /api failed with error code 429 != 200. Response body: ''", True),
        ("API request to endpoint /api failed with error code 502 != 200. Response body: ''", True),
        ("API request to http://x failed with exception HTTPConnectionPool: Connection refused", True),
    ],
)
def test_a_store_that_is_away_is_told_from_one_that_refuses(said: str, away: bool) -> None:
    from mlflow.exceptions import MlflowException

    assert is_away(MlflowException(said)) is away
    assert issubclass(StoreAway, StoreError)
