"""Encoders come from the hub: whole, once, pinned, resumed, or one line that says why not."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import mlflow
import numpy as np
import pytest
from huggingface_hub import constants

from ser_experiments.errors import InputError
from ser_experiments.features import extract
from ser_experiments.features.encoders import hub, transfer
from ser_experiments.features.encoders.checkpoint import Checkpoint
from tests.checkpoints import COMMIT, plain_encoder, tiny_whisper
from tests.command import PROGRAM, program, ser
from tests.hub_server import Hub, serving
from tests.iemocap_tree import small_tree

NAME = "test/tiny"
BIG = 3_000_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the files of a repository whose weights are big enough to be resumed: it has a decoder too."""
    from safetensors.numpy import load_file, save_file

    folder = tiny_whisper(tmp_path_factory.mktemp("repository") / "tiny")
    weights = load_file(folder / "model.safetensors")
    weights["decoder.embed_tokens.weight"] = np.zeros(BIG // 2, np.float16)
    save_file(weights, folder / "model.safetensors")
    found = {file.name: file.read_bytes() for file in folder.iterdir()}
    return found | {
        "pytorch_model.bin": b"never",
        "modeling.py": b"never",
        "model.fp32-00001-of-00002.safetensors": b"x",
    }


@pytest.fixture
def server(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Serve a hub of one repository, to this process and to those that it starts."""
    with serving(Hub({NAME: dict(files)}, {NAME: COMMIT})) as hub_server:
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setenv("HF_ENDPOINT", hub_server.address)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(transfer, "_WAIT_S", 0.01)
        yield hub_server


def cached(tmp_path: Path) -> dict[str, int]:
    """Return the sizes of what the cache holds of the repository's files."""
    found = (tmp_path / "hub").rglob("snapshots/*/*")
    return {file.name: file.stat().st_size for file in found}


def test_what_is_needed_is_fetched_once(server: Hub, tmp_path: Path, files: dict[str, bytes]) -> None:
    told = []
    pinned, folder = hub.fetch(NAME, progress=told.append)
    assert pinned == f"{NAME}@{COMMIT}"
    wanted = ("config.json", "preprocessor_config.json", "model.safetensors")
    assert cached(tmp_path) == {name: len(files[name]) for name in wanted}
    assert Checkpoint(folder).n_layers == 3
    assert told[-1].done == told[-1].total == 4
    assert told[-1].stage == f"fetching {NAME}, MB"
    asked = len(server.asked)
    assert hub.fetch(NAME) == hub.fetch(f"{NAME}@{COMMIT}") == hub.found(NAME) == (pinned, folder)
    assert len(server.asked) == asked
    assert not [*(tmp_path / "hub").rglob("*.part*")]


def test_the_cache_is_that_of_the_library(server: Hub) -> None:
    from huggingface_hub import snapshot_download

    _, folder = hub.fetch(NAME)
    asked = len(server.sent("model.safetensors"))
    found = snapshot_download(NAME, revision=COMMIT, cache_dir=hub.cache_folder(), local_files_only=True)
    assert Path(found).resolve() == folder.resolve()
    assert len(server.sent("model.safetensors")) == asked


def test_a_line_that_drops_is_taken_up_again(server: Hub, files: dict[str, bytes]) -> None:
    server.breaks_at, server.breaks = 1_000_000, 3
    _, folder = hub.fetch(NAME)
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]
    parts = server.sent("model.safetensors")
    assert parts == [None, "bytes=1000000-", "bytes=2000000-", "bytes=3000000-"]


def test_without_ranges_it_begins_anew(server: Hub, files: dict[str, bytes]) -> None:
    server.breaks_at, server.breaks, server.ranges = 1_000_000, 1, False
    _, folder = hub.fetch(NAME)
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]


@pytest.mark.slow
def test_a_line_that_keeps_dropping(server: Hub, tmp_path: Path, files: dict[str, bytes]) -> None:
    server.breaks_at, server.breaks = 0, 1000
    with pytest.raises(InputError, match="the hub cannot be reached"):
        hub.fetch(NAME)
    with pytest.raises(hub.NotFetched):
        hub.found(NAME)
    server.breaks = 0
    assert Checkpoint(hub.fetch(NAME)[1]).n_layers == 3


def test_a_killed_download_goes_on(server: Hub, tmp_path: Path, files: dict[str, bytes]) -> None:
    server.slow = threading.Event()
    going = subprocess.Popen([*PROGRAM, "encoders", "pull", NAME], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while sum(one.stat().st_size for one in (tmp_path / "hub").rglob("*.part")) < 1_000_000:
            assert time.monotonic() < deadline, "nothing came"
            assert going.poll() is None
            time.sleep(0.02)
    finally:
        going.send_signal(signal.SIGKILL)
        going.wait()
        server.slow.set()
    with pytest.raises(hub.NotFetched):
        hub.found(NAME)
    done = program("encoders", "pull", NAME)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{NAME}@{COMMIT}: ")
    first, second = server.sent("model.safetensors")
    assert first is None
    assert int(second.removeprefix("bytes=").removesuffix("-")) >= 1_000_000
    assert (hub.found(NAME)[1] / "model.safetensors").read_bytes() == files["model.safetensors"]


def test_other_bytes_than_promised_are_thrown_away(server: Hub, tmp_path: Path) -> None:
    server.spoilt = True
    with pytest.raises(InputError, match="what came is not what the hub says it is"):
        hub.fetch(NAME)
    assert not [*(tmp_path / "hub").rglob("*.part")]
    with pytest.raises(hub.NotFetched):
        hub.found(NAME)


def test_part_of_another_program_is_not_taken_for_whole(server: Hub, tmp_path: Path) -> None:
    from huggingface_hub import hf_hub_download

    # It also notes the commit of the branch.
    hf_hub_download(NAME, "config.json", cache_dir=tmp_path / "hub", endpoint=server.address)
    with pytest.raises(hub.NotFetched):
        hub.found(NAME)
    assert Checkpoint(hub.fetch(NAME)[1]).n_layers == 3
    assert server.sent("config.json") == [None]


def test_weights_in_parts(server: Hub, files: dict[str, bytes]) -> None:
    parts = dict(files)
    whole = parts.pop("model.safetensors")
    parts["model-00001-of-00001.safetensors"] = whole
    parts["model.safetensors.index.json"] = b'{"weight_map": {"x": "model-00001-of-00001.safetensors"}}'
    server.files[NAME] = parts
    _, folder = hub.fetch(NAME)
    assert Checkpoint(folder).n_layers == 3
    (folder / "model-00001-of-00001.safetensors").unlink()
    with pytest.raises(hub.NotFetched):
        hub.found(NAME)


@pytest.mark.parametrize(
    ("model", "change", "said"),
    [
        ("test/none", lambda hub: None, "the hub has none of that id, or it is private"),
        (f"{NAME}@nowhere", lambda hub: None, "the hub has no such revision"),
        (NAME, lambda hub: hub.gated.add(NAME), "gives it only to those who asked; ask on its page, then set HF_TOKEN"),
        (NAME, lambda hub: hub.files[NAME].pop("model.safetensors"), "its weights are in pytorch_model.bin alone"),
        (NAME, lambda hub: hub.files[NAME].pop("config.json"), "no config.json in its repository"),
        (NAME, lambda hub: hub.files.update({NAME: {"README.md": b"x"}}), "no model.safetensors in it"),
        ("no id", lambda hub: None, "no such folder, and no id of the hub"),
        ("../up", lambda hub: None, "no such folder, and no id of the hub"),
        ("test/..", lambda hub: None, "no such folder, and no id of the hub"),
    ],
)
def test_what_cannot_be_had_is_one_line(server: Hub, tmp_path: Path, model: str, change, said: str) -> None:
    change(server)
    done = ser("encoders", "pull", model)
    assert done.returncode == 2
    *begun, error = done.stderr.splitlines()
    assert said in error
    assert all(line.startswith("fetching ") for line in begun)
    assert "model.safetensors" not in cached(tmp_path)


def test_a_token_opens_what_is_gated(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    server.gated.add(NAME)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert Checkpoint(hub.fetch(NAME)[1]).n_layers == 3


def test_no_network(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="the hub cannot be reached"):
        hub.fetch(NAME)


def test_offline(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="HF_HUB_OFFLINE forbids"):
        hub.fetch(NAME)
    assert not server.asked


def test_no_room(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(InputError, match=r"3 MB are to be fetched, 1 MB are free"):
        hub.fetch(NAME)
    assert not server.sent("model.safetensors")


def test_a_disk_that_fills_up(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "_append", full)
        with pytest.raises(InputError, match=r"the disk is full; make room, or let HF_HOME name another"):
            hub.fetch(NAME)
    assert Checkpoint(hub.fetch(NAME)[1]).n_layers == 3


def test_a_cache_that_cannot_be_written(server: Hub, tmp_path: Path) -> None:
    (tmp_path / "hub").write_text("a file")
    with pytest.raises(InputError, match="cannot be kept in"):
        hub.fetch(NAME)


def test_without_the_extra(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"pip install 'ser_experiments\[encoders\]'"):
        hub.fetch(NAME)


def test_asking_for_features_fetches(server: Hub, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ser_experiments"):
        row = extract("encoder", np.ones(16_000, np.float32) / 10, 16_000, model=NAME, layers=1)
    assert np.isfinite(row).all()
    assert f"fetching {NAME} at {COMMIT[:12]} (3 MB, once)" in caplog.messages


def test_a_mistake_fetches_nothing(server: Hub) -> None:
    with pytest.raises(InputError, match="unknown parameter 'layer'"):
        extract("encoder", np.ones(16_000, np.float32), 16_000, model=NAME, layer=1)
    assert not server.asked


@pytest.mark.slow
def test_a_run_fetches_and_logs_the_commit(server: Hub, tmp_path: Path, project_folder: Path) -> None:
    assert ser("features", "list").returncode == 0
    assert ser("encoders", "list").returncode == 0
    assert not server.asked
    given = ("--set", f"features.params.encoder.model={NAME}", "--set", "features.params.encoder.layers=[1]")
    corpus = ("--corpus", "iemocap", "--root", str(small_tree(tmp_path / "IEMOCAP_full_release")))
    done = ser("run", plain_encoder(project_folder), *corpus, *given, "--json")
    assert done.returncode == 0, done.stderr
    assert len(server.sent("model.safetensors")) == 1
    run = mlflow.MlflowClient().get_run(json.loads(done.stdout)["run_id"])
    assert run.data.params["encoder.model"] == f"{NAME}@{COMMIT}"
    assert run.data.params["encoder.model.digest"] == Checkpoint(hub.found(NAME)[1]).digest
    assert run.data.tags["ser.contaminated"] == "false"
