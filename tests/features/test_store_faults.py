"""What the table store bears: kills at any moment, two processes at once, damaged files, full and read-only disks."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from ser_experiments.errors import SerError, StoreError
from ser_experiments.features import feature_table
from ser_experiments.features.extraction import schedule
from ser_experiments.features.store import arrays, compaction, parts
from ser_experiments.features.store.arrays import ShardedTable
from ser_experiments.features.store.parts import PartitionedTable
from ser_experiments.features.table import build
from tests.tiny_set import extractor, measured, write_recordings

REPOSITORY = Path(__file__).parents[2]
#: Builds the table of a folder of recordings, slowly, and says where it is by lines in a log.
SCRIPT = """
import sys
from pathlib import Path
from ser_experiments.features.table import build
from tests import tiny_set
folder, cache, log, out, jobs, layout = sys.argv[1:]
paths = sorted(str(path) for path in Path(folder).glob("*.wav"))
measure = tiny_set.extractor(log=Path(log), sleep_s=0.02, layout=layout)
table = build([measure], tiny_set.utterances_of(paths), cache=Path(cache), jobs=int(jobs))
if layout == "row":
    table.to_parquet(out)
"""


def start(audio: Path, cache: Path, log: Path, *, jobs: int = 1, layout: str = "row") -> subprocess.Popen[bytes]:
    arguments = [str(x) for x in (audio, cache, log, log.with_suffix(f".{os.urandom(4).hex()}"), jobs, layout)]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=REPOSITORY,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def stored_keys(cache: Path, name: str = "tiny") -> set[bytes]:
    keys: set[bytes] = set()
    for folder in (cache / "tables" / name).glob("*"):
        schema = pq.read_schema(next(folder.glob("part-*.parquet"))) if any(folder.glob("part-*")) else None
        if schema is not None:
            PartitionedTable(folder, schema).visit(lambda part: keys.update(part.keys()) or True)  # type: ignore[func-returns-value]
    return keys


def kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def wait_for(condition: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("seed", "jobs", "layout"),
    [
        (0, 1, "row"),
        pytest.param(1, 2, "row", marks=pytest.mark.slow),
        pytest.param(2, 1, "array", marks=pytest.mark.slow),
    ],
)
def test_a_killed_extraction_goes_on_where_it_stopped(tmp_path: Path, seed: int, jobs: int, layout: str) -> None:
    utterances = write_recordings(tmp_path / "audio", 150)
    cache, log = tmp_path / "cache", tmp_path / "log"
    process = start(tmp_path / "audio", cache, log, jobs=jobs, layout=layout)
    wanted = random.Random(seed).randint(70, 120)
    wait_for(lambda: len(measured(log)) >= wanted)
    kill(process)
    before, kept = len(measured(log)), len(stored_keys(cache))
    assert 0 < kept <= before < len(utterances)
    table = build([extractor(log=log, layout=layout)], utterances, cache=cache, jobs=1)
    # What was in the store is not measured again, and all else is, once.
    assert len(measured(log)) == before + len(utterances) - kept
    undisturbed = build([extractor(layout=layout)], utterances, cache=tmp_path / "other", jobs=1)
    if layout == "row":
        pd.testing.assert_frame_equal(table, undisturbed)
    else:
        for one, other in zip(table["tiny"], undisturbed["tiny"], strict=True):
            np.testing.assert_array_equal(one, other)


#: Measures real speech; with two processes from the first recording on, though the work would hardly be worth them.
SPEECH_SCRIPT = """
import sys
from ser_experiments import feature_table, load_corpus
from ser_experiments.features.extraction import schedule
root, cache, jobs = sys.argv[1:]
if jobs == "2":
    schedule.ALONE_S, schedule.WORTH_S = 0.0, -1.0
feature_table(["lld", "prosody", "melspec"], load_corpus("manifest", root).utterances, cache=cache, jobs=int(jobs))
"""
SPEECH_SETS = ("lld", "prosody", "melspec")


@pytest.mark.parametrize("n_kills", [pytest.param(5, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.soak)])
def test_kills_on_real_speech(
    speech_corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_kills: int
) -> None:
    """Every kill hits a run that measures, on a store of its own; each resumes to the undisturbed table."""
    from ser_experiments import load_corpus
    from ser_experiments.features.extraction.writing import Writer

    root = speech_corpora / "emodb4"
    utterances = load_corpus("manifest", root).utterances
    fresh = feature_table(SPEECH_SETS, utterances, cache=tmp_path / "fresh", jobs=1)
    everything = {name: stored_keys(tmp_path / "fresh", name) for name in SPEECH_SETS}
    added: list[tuple[str, bytes]] = []
    original = Writer.add

    def add(self: Writer, number: int, key: bytes, values: np.ndarray) -> None:
        added.append((self._targets[number].extractor.name, key))
        original(self, number, key, values)

    monkeypatch.setattr(Writer, "add", add)
    clock = random.Random(7)
    partly = 0
    for moment in range(n_kills):
        cache, jobs, rows = tmp_path / f"cache{moment}", 1 + moment % 2, clock.randint(1, 200)
        process = subprocess.Popen(
            [sys.executable, "-c", SPEECH_SCRIPT, str(root), str(cache), str(jobs)],
            cwd=REPOSITORY,
            start_new_session=True,
        )
        wait_for(lambda: len(stored_keys(cache, "lld")) >= rows)  # noqa: B023
        time.sleep(clock.uniform(0.0, 0.5))
        assert process.poll() is None, "it ended before it was killed"
        kill(process)
        kept = {name: stored_keys(cache, name) for name in SPEECH_SETS}
        assert all(kept[name] <= everything[name] for name in SPEECH_SETS)
        assert len(kept["lld"]) >= rows
        partly += any(kept[name] != everything[name] for name in SPEECH_SETS)
        added.clear()
        table = feature_table(SPEECH_SETS, utterances, cache=cache, jobs=1)
        # What was kept is not measured again, and all else is, once.
        missing = [(name, key) for name in SPEECH_SETS for key in everything[name] - kept[name]]
        assert sorted(added) == sorted(missing)
        pd.testing.assert_frame_equal(table.drop(columns="melspec"), fresh.drop(columns="melspec"))
        for one, other in zip(table["melspec"], fresh["melspec"], strict=True):
            np.testing.assert_array_equal(one, other)
    assert partly >= 0.8 * n_kills, "too many were killed when everything was on disk"


@pytest.mark.slow
def test_two_processes_share_one_store(tmp_path: Path) -> None:
    utterances = write_recordings(tmp_path / "audio", 250)
    cache, log = tmp_path / "cache", tmp_path / "log"
    both = [start(tmp_path / "audio", cache, log) for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said.decode()
    tables = [pd.read_parquet(path) for path in tmp_path.glob("log.*")]
    assert len(tables) == 2
    undisturbed = build([extractor()], utterances, cache=tmp_path / "other")
    for table in tables:
        np.testing.assert_array_equal(table, undisturbed)
    # Each finds most of what the other has finished.
    assert len(measured(log)) < 1.8 * len(utterances)


@pytest.mark.slow
def test_two_processes_on_real_speech(speech_corpora: Path, tmp_path: Path) -> None:
    from ser_experiments import load_corpus

    root = speech_corpora / "nemo_subset"
    code = (
        "import sys\nfrom ser_experiments import feature_table, load_corpus\n"
        "utterances = load_corpus('manifest', sys.argv[1]).utterances\n"
        "table = feature_table(['lld', 'prosody'], utterances, cache=sys.argv[2], jobs=1)\n"
        "table.to_parquet(sys.argv[3])"
    )
    outputs = [tmp_path / f"{i}.parquet" for i in range(2)]
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(root), str(tmp_path / "cache"), str(output)],
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
        )
        for output in outputs
    ]
    for process in both:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said.decode()
    utterances = load_corpus("manifest", root).utterances
    fresh = feature_table(["lld", "prosody"], utterances, cache=tmp_path / "fresh")
    for output in outputs:
        table = pd.read_parquet(output)
        assert list(table.index) == list(utterances.index)
        np.testing.assert_array_equal(table, fresh)
    assert len(stored_keys(tmp_path / "cache", "lld")) == len(utterances)


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Path, Path]:
    """Make what `filled` hands out a copy of."""
    folder = tmp_path_factory.mktemp("filled")
    utterances = write_recordings(folder / "audio", 30)
    cache, log = folder / "cache", folder / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "LEFT", compaction.MANY)
        for layout in ("row", "array"):
            measure = extractor(name=f"tiny_{layout}", layout=layout, log=log)
            for first in range(0, 30, 3):
                build([measure], utterances.iloc[first : first + 3], cache=cache)
    assert len(measured(log)) == 60
    return utterances, cache, log


@pytest.fixture
def filled(
    filled_once: tuple[pd.DataFrame, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[pd.DataFrame, Path, Path]:
    """Return utterances, the store that holds them in many small parts, and the log."""
    # As processes that were stopped leave it.
    monkeypatch.setattr(schedule, "LEFT", compaction.MANY)
    utterances, cache, log = filled_once
    shutil.copytree(cache, tmp_path / "cache")
    shutil.copy(log, tmp_path / "log")
    return utterances, tmp_path / "cache", tmp_path / "log"


def whole(utterances: pd.DataFrame, cache: Path, log: Path | None = None) -> pd.DataFrame:
    both = [extractor(name=f"tiny_{layout}", layout=layout, log=log) for layout in ("row", "array")]
    return build(both, utterances, cache=cache)


def assert_right(table: pd.DataFrame, utterances: pd.DataFrame, tmp_path: Path) -> None:
    fresh = whole(utterances, tmp_path / "fresh")
    pd.testing.assert_frame_equal(table.drop(columns="tiny_array"), fresh.drop(columns="tiny_array"))
    for one, other in zip(table["tiny_array"], fresh["tiny_array"], strict=True):
        np.testing.assert_array_equal(one, other)


def parts_of(cache: Path, name: str) -> list[Path]:
    return sorted((cache / "tables" / name).glob("*/part-*.parquet"))


def test_few_parts_are_left_when_all_is_measured(tmp_path: Path) -> None:
    utterances = write_recordings(tmp_path / "audio", 30)
    cache, log = tmp_path / "cache", tmp_path / "log"
    for first in range(0, 30, 3):
        build([extractor(name="tiny_row", log=log)], utterances.iloc[first : first + 3], cache=cache)
        assert len(parts_of(cache, "tiny_row")) < compaction.LEFT
        assert len(parts_of(cache, "_survey")) < compaction.LEFT
    build([extractor(name="tiny_row", log=log)], utterances, cache=cache)
    assert len(measured(log)) == 30


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "flipped"])
def test_damaged_rows_are_measured_again(
    filled: tuple[pd.DataFrame, Path, Path], tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    utterances, cache, log = filled
    part = parts_of(cache, "tiny_row")[4]
    content = bytearray(part.read_bytes())
    keys = pq.read_table(part)["key"].to_pylist()
    content[content.index(keys[0])] ^= 0xFF
    part.write_bytes(
        {"truncated": content[: len(content) // 2], "garbage": b"PAR1" + os.urandom(500), "empty": b""}.get(
            damage, bytes(content)
        )
    )
    table = whole(utterances, cache, log)
    assert len(measured(log)) == 60 + len(keys)
    assert "damaged or foreign, passed over" in caplog.text
    assert_right(table, utterances, tmp_path)


@pytest.mark.parametrize("damage", ["truncated", "gone"])
def test_arrays_that_are_lost_are_measured_again(
    filled: tuple[pd.DataFrame, Path, Path], tmp_path: Path, damage: str
) -> None:
    utterances, cache, log = filled
    part = parts_of(cache, "tiny_array")[2]
    shard, lost = parts.shard_of(part), len(pq.read_table(part))
    if damage == "gone":
        shard.unlink()
    else:
        os.truncate(shard, 1)
    table = whole(utterances, cache, log)
    assert len(measured(log)) == 60 + lost
    assert_right(table, utterances, tmp_path)


def dies_after(original: Callable[..., object], survives: int, error: type[BaseException]) -> Callable[..., object]:
    """Return a method that works, and ends the process after so many calls that were survived."""
    calls = count()

    def dying(self: object, *args: object, **options: object) -> object:
        done = original(self, *args, **options)
        if next(calls) == survives:
            raise error
        return done

    return dying


@pytest.mark.slow
def test_a_merge_that_is_killed_loses_nothing(
    filled: tuple[pd.DataFrame, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every write and every removal of a merge the store gives the right table without measuring."""
    utterances, cache, log = filled
    tables = []
    for name, kind in (("tiny_row", PartitionedTable), ("tiny_array", lambda folder, _: ShardedTable(folder))):
        part = parts_of(cache, name)[0]
        tables.append(kind(part.parent, pq.read_schema(part)))
    monkeypatch.setattr(parts, "PART_BYTES", 300)
    monkeypatch.setattr(arrays, "SHARD_BYTES", 300)
    steps = 0

    class Killed(BaseException):
        pass

    for kind in (PartitionedTable, Path):  # type: ignore[assignment]
        name = "append" if kind is PartitionedTable else "unlink"
        original = getattr(kind, name)
        for survives in range(8):
            with monkeypatch.context() as patch:
                patch.setattr(kind, name, dies_after(original, survives, Killed))
                for table in tables:
                    try:
                        compaction.compact_if_due(table, many=2)
                    except Killed:
                        steps += 1
            assert len(stored_keys(cache, "tiny_row")) == 30
            assert_right(whole(utterances, cache, log), utterances, tmp_path)
            assert len(measured(log)) == 60
    assert steps >= 6
    for table in tables:
        compaction.compact_if_due(table, many=2)
    assert len(parts_of(cache, "tiny_row")) < 10
    assert_right(whole(utterances, cache, log), utterances, tmp_path)


def test_references_outlive_a_merge(filled: tuple[pd.DataFrame, Path, Path], tmp_path: Path) -> None:
    utterances, cache, log = filled
    table = whole(utterances, cache, log)
    merged = ShardedTable(parts_of(cache, "tiny_array")[0].parent)
    assert compaction.compact_if_due(merged, many=2) >= 10
    assert_right(table, utterances, tmp_path)


def refuse_writing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let every new file of a store fail with an error of the system, as root can write to any folder."""
    original = Path.open

    def refusing(self: Path, mode: str = "r", *args: object, **options: object) -> object:
        if "x" in mode or "w" in mode:
            raise OSError(number, os.strerror(number))
        return original(self, mode, *args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refusing)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "no space left on the device; free some, or set SER_CACHE"),
        (errno.EROFS, r"cannot be written \(Read-only file system\); set SER_CACHE"),
        (errno.EACCES, r"cannot be written \(Permission denied\); set SER_CACHE"),
    ],
)
def test_a_store_that_cannot_be_written_is_one_message(
    filled: tuple[pd.DataFrame, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    utterances, cache, log = filled
    more = pd.concat([utterances, write_recordings(tmp_path / "more", 2, seed=5).set_axis(["m0", "m1"])])
    with monkeypatch.context() as patch:
        refuse_writing(patch, number)
        # What is there can be read.
        table = whole(utterances, cache, log)
        assert len(measured(log)) == 60
        with pytest.raises(StoreError, match=message) as caught:
            whole(more, cache, log)
        assert "\n" not in str(caught.value)
    assert len(measured(log)) == 60
    assert_right(table, utterances, tmp_path)
    assert len(whole(more, cache, log)) == 32


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of one megabyte, where that is allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_fills_up(small_disk: Path, tmp_path: Path) -> None:
    utterances, log = write_recordings(tmp_path / "audio", 40), tmp_path / "log"
    measure = extractor(layout="array", n_columns=4000, log=log)
    for _ in range(2):
        with pytest.raises(SerError, match="no space left on the device"):
            build([measure], utterances, cache=small_disk)
    done = len(measured(log))
    # Part of the rows is kept, and can be used.
    kept = len(stored_keys(small_disk))
    assert 0 <= kept < len(utterances)
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    table = build([measure], utterances, cache=small_disk)
    assert len(table) == 40
    assert len(measured(log)) == done + 40 - kept


def test_a_read_only_disk(small_disk: Path, tmp_path: Path) -> None:
    utterances = write_recordings(tmp_path / "audio", 4)
    first = build([extractor()], utterances.iloc[:3], cache=small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    pd.testing.assert_frame_equal(build([extractor()], utterances.iloc[:3], cache=small_disk), first)
    with pytest.raises(StoreError, match="Read-only file system"):
        build([extractor()], utterances, cache=small_disk)


@pytest.mark.slow
def test_thousands_of_arrays_need_few_open_files(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
import numpy as np
import pandas as pd
from ser_experiments.features.table import build
from tests import tiny_set
folder, cache = map(Path, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
starts = np.arange(3000) / 1000
utterances = pd.DataFrame(
    {"path": str(folder / "u0000.wav"), "start_s": starts, "end_s": starts + 0.03, "speaker": "a"},
    index=[f"s{i}" for i in range(3000)],
)
table = build([tiny_set.extractor(layout="array")], utterances, cache=cache, jobs=1)
held = [np.asarray(cell) for cell in table["tiny"]]
assert len(held) == 3000 and all(a.shape == (3, 4) for a in held), held[0].shape
print(float(sum(a.sum() for a in held)))
"""
    write_recordings(tmp_path / "audio", 1, seconds=5.0)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "audio"), str(tmp_path / "cache")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0


@pytest.mark.slow
def test_a_networks_table_travels_as_references(tmp_path: Path) -> None:
    import pickle

    from joblib import Parallel, delayed

    from ser_experiments.models.zoo.cnn import CNNClassifier

    utterances = write_recordings(tmp_path / "audio", 40, seconds=0.5)
    table = build([extractor(layout="array", n_columns=16)], utterances, cache=tmp_path / "cache")
    # A pickled cell is a few hundred bytes, not its array.
    assert len(pickle.dumps(table["tiny"].iloc[0])) < 600
    labels = np.array(["angry", "sad"])[np.arange(40) % 2]
    network = CNNClassifier(n_epochs=1, widths=(4, 4), random_state=0, early_stopping=False)
    here = network.fit(table, labels).predict_proba(table)
    there = Parallel(n_jobs=2, backend="loky")(delayed(_fit)(table, labels) for _ in range(2))
    for chances in there:
        np.testing.assert_allclose(chances, here, atol=1e-6)


def _fit(table: pd.DataFrame, labels: np.ndarray) -> np.ndarray:
    from ser_experiments.models.zoo.cnn import CNNClassifier

    network = CNNClassifier(n_epochs=1, widths=(4, 4), random_state=0, early_stopping=False)
    return network.fit(table, labels).predict_proba(table)
