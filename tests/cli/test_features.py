"""``ser features`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ser_experiments.features.extractor import get_extractor, set_names
from tests.command import ser
from tests.iemocap_tree import small_tree


def test_list_and_describe(project_folder: Path) -> None:
    rows = json.loads(ser("features", "list", "--json").stdout)
    assert (
        set(rows) - {"encoder/frames"}
        == set(set_names())
        >= {"lld", "prosody", "frames", "mfcc", "classic199", "melspec"}
    )
    out = ser("features", "describe", "lld")
    assert out.returncode == 0
    for name in get_extractor("lld").column_names:
        assert f"{name} " in out.stdout


@pytest.mark.parametrize("name", ["ldl", "_table"])
def test_unknown_set(project_folder: Path, name: str) -> None:
    done = ser("features", "describe", name)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: unknown feature set {name!r}")
    assert done.stderr.count("\n") == 1


def test_status_and_prune(tmp_path: Path, project_folder: Path) -> None:
    assert "no tables" in ser("features", "status").stdout
    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    assert ser("run", "dummy", "--corpus", "iemocap", "--root", str(tree), "--no-log").returncode == 0
    tables = {row["set"]: row for row in json.loads(ser("features", "status", "--json").stdout)}
    assert tables["lld"]["rows"] == 40
    assert "lld" in ser("features", "status").stdout
    assert "nothing to remove" in ser("features", "prune").stdout
    folder = Path(tables["lld"]["folder"])
    old = folder.with_name("0123456789abcdef")
    folder.rename(old)
    assert "would remove" in ser("features", "prune", "--dry-run").stdout
    assert old.is_dir()
    assert "removed" in ser("features", "prune").stdout
    assert not old.exists()


def test_a_table_is_exported_and_run_from(tmp_path: Path, project_folder: Path) -> None:
    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    corpus = ["--corpus", "iemocap", "--root", str(tree)]
    target = tmp_path / "mine.parquet"
    done = ser("features", "export", "mfcc", "mfcc@noise", str(target), *corpus)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"40 utterances, 160 columns: {target}\n"
    run = ser("run", "svm_lld", *corpus, "--table", target.as_uri(), "--no-log")
    assert run.returncode == 0, run.stderr
    wrong = ser("features", "export", "mfcc", str(tmp_path / "mine.xls"), *corpus)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "expected .parquet or .csv" in wrong.stderr


def test_views_are_named_and_pruned(tmp_path: Path, project_folder: Path) -> None:
    assert '"noise"' in ser("features", "list").stdout
    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    corpus = ["--corpus", "iemocap", "--root", str(tree)]
    assert ser("features", "export", "mfcc@noise", "mfcc@noise-7", str(tmp_path / "t.csv"), *corpus).returncode == 0
    Path("experiments", "mine.toml").write_text(
        '[features]\nsets = ["mfcc"]\naugment = ["noise"]\n[model]\ntype = "svm"\n'
    )
    removed = [line for line in ser("features", "prune").stdout.splitlines() if line.startswith("removed ")]
    assert len(removed) == 1
    assert "mfcc@noise-7" in removed[0]
