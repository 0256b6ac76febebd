"""``ser cache prune`` removes what nothing uses, says so before, and nothing else."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from ser_experiments import project
from ser_experiments.corpora._demo import MARKER
from tests.command import ser

DAY = 86400.0


def aged(path: Path, days: float, content: bytes = b"x" * 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


@pytest.fixture
def leftovers(project_folder: Path) -> tuple[list[Path], list[Path]]:
    """Return what should go and what should stay."""
    cache = project.find().cache
    table = cache / "tables" / "_contents" / "1"
    half = cache / "demo" / ".building-0123" / "Session1" / "a.wav"
    gone = [
        aged(cache / "fits" / "0123.skops", 31),
        aged(cache / "fits" / "0124.trials", 31),
        aged(cache / "fits" / "half.tmp", 1),
        aged(cache / "fits" / "0125.skops.aside", 1),
        aged(table / ".tmp-0123", 1),
        aged(table / "shard-0123.bin", 1),
        aged(cache / "tables" / "lld" / "0123456789abcdef" / "part-0.parquet", 0).parent,
        aged(half, 1).parents[1],
        aged(cache / "errors" / "ser-20200101-000000-000000.log", 31),
    ]
    os.utime(half.parents[1], (time.time() - DAY,) * 2)
    stays = [
        aged(cache / "fits" / "0126.skops", 1),
        aged(cache / "fits" / "young.tmp", 0),
        aged(cache / "fits" / "notes.txt", 99),
        aged(table / ".tmp-young", 0),
        aged(cache / "demo" / "demo-v1-seed0" / MARKER, 99),
        aged(cache / "demo" / ".building-young" / "a.wav", 0),
        aged(cache / "errors" / "ser-20990101-000000-000000.log", 1),
        aged(cache / "somebody's", 99),
    ]
    return gone, stays


def test_what_would_go_is_what_goes(leftovers: tuple[list[Path], list[Path]]) -> None:
    gone, stays = leftovers
    shown = ser("cache", "prune", "--dry-run", "--json")
    assert shown.returncode == 0, shown.stderr
    told = json.loads(shown.stdout)
    assert told["dry_run"] is True
    assert {row["path"] for row in told["removed"]} == {str(path) for path in gone}
    assert all(row["why"] and row["bytes"] > 0 for row in told["removed"])
    assert all(path.exists() for path in (*gone, *stays))
    words = ser("cache", "prune", "--dry-run").stdout
    assert words.splitlines()[-1] == "would free 0.0 MB"
    assert all(f"would remove {path}: " in words for path in gone)
    done = ser("cache", "prune")
    assert done.stdout.splitlines()[-1] == "9 removed, 0.0 MB"
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in stays)
    assert ser("cache", "prune").stdout == "nothing to remove\n"


def test_it_stands_where_it_stood_before(leftovers: tuple[list[Path], list[Path]]) -> None:
    gone, stays = leftovers
    assert ser("features", "prune", "--fits-days", "30").stdout.splitlines()[-1] == "9 removed, 0.0 MB"
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in stays)


def test_a_cache_that_is_not_there(project_folder: Path) -> None:
    done = ser("cache", "prune", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "nothing to remove\n")
    assert not project.find().cache.exists()
