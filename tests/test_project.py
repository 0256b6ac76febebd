"""The project folder is found from any folder below it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_experiments import project
from ser_experiments.errors import InputError, nearest


def test_found_from_below(tmp_path: Path) -> None:
    (tmp_path / "ser.toml").write_text('[roots]\niemocap = "corpus"\n')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    found = project.find(below)
    assert found.folder == tmp_path
    assert found.root("iemocap") == str(tmp_path / "corpus")
    assert found.root("demo") is None


def test_without_a_marker_it_is_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SER_CACHE", raising=False)
    assert project.find(tmp_path).cache == tmp_path / "cache"


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SER_CACHE", "/elsewhere")
    monkeypatch.setenv("SER_IEMOCAP_ROOT", "/corpus")
    assert project.find(tmp_path).cache == Path("/elsewhere")
    assert project.find(tmp_path).root("iemocap") == "/corpus"


@pytest.mark.parametrize(
    ("text", "message"),
    [("[root]\n", "unknown key 'root'; did you mean 'roots'"), ("[roots]\nx = 3\n", "must map"), ("=", "TOML")],
)
def test_a_marker_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "ser.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        project.find(tmp_path)


def test_nearest() -> None:
    assert nearest("svn_lld", ["svm_lld", "dummy"]) == "; did you mean 'svm_lld'?"
    assert nearest("qqq", ["svm_lld", "dummy"]) == "; allowed: dummy, svm_lld"
