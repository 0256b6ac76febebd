"""A server that keeps files of runs on its own disk is called that, before anything is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_experiments.errors import StoreError
from ser_experiments.tracking.backend import StoreAway
from ser_experiments.tracking.backends._mlflow.answers import answering
from ser_experiments.tracking.backends._mlflow.store import check_artifacts

SERVER = "http://tracking.example:5000"


@pytest.fixture
def unwritable(tmp_path: Path) -> Path:
    """A folder that nobody can make, root neither."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "mlartifacts"


@pytest.mark.parametrize("form", ["{}", "file://{}", "{}/7/with%20space"])
def test_a_folder_of_the_server_that_cannot_be_written(unwritable: Path, form: str) -> None:
    with pytest.raises(StoreError, match="keeps files on its own disk") as caught:
        check_artifacts(SERVER, form.format(unwritable), "; then delete it")
    assert not isinstance(caught.value, StoreAway)
    assert "--serve-artifacts" in str(caught.value)
    assert str(caught.value).endswith("; then delete it")


def test_what_can_be_written_or_goes_elsewhere_is_fine(tmp_path: Path, unwritable: Path) -> None:
    check_artifacts(SERVER, str(tmp_path / "new" / "folder"))
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    for location in ("mlflow-artifacts:/1", "s3://bucket/1", "gs://bucket", None):
        check_artifacts(SERVER, location)
    check_artifacts("sqlite:////tmp/mlflow.db", str(unwritable))


@pytest.mark.parametrize("kind", [PermissionError, FileNotFoundError, NotADirectoryError])
def test_a_folder_that_is_refused_is_no_server_that_went_away(kind: type[OSError]) -> None:
    with pytest.raises(StoreError, match="/srv/mlflow") as caught, answering():
        raise kind(13, "Permission denied", "/srv/mlflow")
    assert not isinstance(caught.value, StoreAway)


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError("refused"), TimeoutError("late"), OSError("no route to host")]
)
def test_a_server_that_does_not_answer_went_away(error: OSError) -> None:
    with pytest.raises(StoreAway), answering():
        raise error
