"""What all tests share."""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from ser_experiments import run_experiment
from ser_experiments.cli import ser
from tests.checkpoints import as_fetched
from tests.iemocap_tree import small_tree


def pytest_configure(config: pytest.Config) -> None:
    """Let one process compile librosa's numba functions before the workers start.

    Two processes that compile a cached ``guvectorize`` function at the same time leave a cache that ends every later
    process with a segmentation fault (numba/numba#10128).
    """
    if not hasattr(config, "workerinput"):
        for module in ("util.utils", "core.audio", "core.pitch", "sequence"):
            importlib.import_module(f"librosa.{module}")
        # No test asks the hub, and the default encoder stands for a tiny one.
        cache = Path(tempfile.mkdtemp(prefix="ser-hub-"))
        config.add_cleanup(partial(shutil.rmtree, cache, ignore_errors=True))
        as_fetched(cache, "openai/whisper-base")
        os.environ |= {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="session")
def speech_corpora() -> Path:
    """Return the folder of real recordings, or skip the test where there is none."""
    folder = os.environ.get("SER_TEST_CORPORA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs real speech: set SER_TEST_CORPORA to a folder with emodb4 and nemo_subset")
    return Path(folder)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a freshly created MLflow database; creating one takes seconds, copying it does not."""
    import mlflow

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def project_folder(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty project that is the current folder, with the shipped experiments and a store of its own."""
    return _begun(tmp_path / "project", empty_store, monkeypatch)


def _begun(folder: Path, empty_store: Path, patch: pytest.MonkeyPatch) -> Path:
    (folder / "mlruns").mkdir(parents=True)
    shutil.copy(empty_store, folder / "mlruns" / "mlflow.db")
    shutil.copytree(Path(__file__).parents[1] / "experiments", folder / "experiments")
    (folder / "ser.toml").touch()
    _enter(folder, patch)
    return folder


def _enter(folder: Path, patch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SER_") and name != "SER_TEST_CORPORA":
            patch.delenv(name)
    patch.delenv("MLFLOW_TRACKING_URI", raising=False)
    patch.chdir(folder)


@pytest.fixture(scope="session")
def kept_champion(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> tuple[Path, Path]:
    """Return where a project with a registered model and its tree lie, and a copy of both."""
    folder, kept = tmp_path_factory.mktemp("champion"), tmp_path_factory.mktemp("kept") / "champion"
    with pytest.MonkeyPatch.context() as patch:
        _begun(folder / "project", empty_store, patch)
        run_experiment("svm_lld", corpus="iemocap", root=small_tree(folder / "IEMOCAP_full_release"))
        assert CliRunner().invoke(ser, ["register"]).exit_code == 0
    shutil.copytree(folder, kept)
    return folder, kept


@pytest.fixture
def champion(kept_champion: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a recording of a small tree in IEMOCAP's layout, beside a project whose model of it is registered.

    Made once, and put back as it was, with its times, at the same place: a store holds whole paths.
    """
    folder, kept = kept_champion
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)
    _enter(folder / "project", monkeypatch)
    return sorted(folder.rglob("sentences/wav/*/*.wav"))[0]
