"""A store that cannot take a run says so in one line before anything is measured; ten that open it at once find it."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ser_experiments import project
from ser_experiments.errors import InputError, StoreError
from ser_experiments.tracking import RunRecord, connect, open_store, start
from tests.command import program
from tests.iemocap_tree import small_tree
from tests.tracking.test_outbox import RUN


def told(path: Path, *arguments: str, **environment: str) -> tuple[int, str, float]:
    """Run `dummy` on a small tree: exit code, what is said on standard error, and how long it took."""
    began = time.monotonic()
    done = program("run", "dummy", "--corpus", "iemocap", "--root", str(path), *arguments, **environment)
    return done.returncode, done.stderr, time.monotonic() - began


@pytest.fixture
def tree(tmp_path: Path, project_folder: Path) -> Path:
    return small_tree(tmp_path / "IEMOCAP_full_release")


# --- a file that is no store -------------------------------------------------------------------------------------


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(8192))


def half_a_file(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:8192])


def of_somebody(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as rows, rows:
        rows.execute("CREATE TABLE notes (text)")


def begun(path: Path) -> None:
    """As a process leaves it that is killed when MLflow has made its first tables."""
    path.unlink()
    with closing(sqlite3.connect(path)) as rows, rows:
        for name in ("experiments", "runs", "metrics", "params", "tags", "alembic_version"):
            rows.execute(f"CREATE TABLE {name} (version_num)")


def no_revision(path: Path) -> None:
    with closing(sqlite3.connect(path)) as rows, rows:
        rows.execute("DELETE FROM alembic_version")


def half_migrated(path: Path) -> None:
    """As two processes leave it that bring it to another schema at once."""
    with closing(sqlite3.connect(path)) as rows, rows:
        rows.execute("UPDATE alembic_version SET version_num = 'c48cb773bb87'")
        rows.execute("DROP TABLE logged_models")


def no_first_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:4096] = bytes(3996)
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (garbage, r"the database is damaged \(file is not a database\)"),
        (half_a_file, "the database is damaged"),
        (of_somebody, "a database, but none of MLflow's"),
        (begun, "MLflow began to make or change this database and never finished"),
        (no_revision, "MLflow began to make or change this database and never finished"),
        (half_migrated, "MLflow cannot open it"),
        (no_first_page, "damaged|none of MLflow's|never finished"),
    ],
)
def test_a_broken_store_is_named_with_what_to_do(
    project_folder: Path, damage: Callable[[Path], None], said: str
) -> None:
    path = project_folder / "mlruns" / "mlflow.db"
    damage(path)
    began = time.monotonic()
    with pytest.raises(StoreError, match=said) as refused:
        open_store(project.find())
    assert time.monotonic() - began < 20
    assert str(path) in str(refused.value)
    assert "move the file away" in str(refused.value)
    assert "\n" not in str(refused.value)
    path.unlink()
    open_store(project.find())


@pytest.mark.parametrize("named", [False, True])
def test_what_a_killed_process_left_half_written_is_taken_back(
    project_folder: Path, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project_folder / "mlruns" / "mlflow.db"
    child = os.fork()
    if child == 0:
        rows = sqlite3.connect(path, isolation_level=None)
        rows.execute("PRAGMA cache_size = 1")
        rows.execute("BEGIN")
        rows.execute("DELETE FROM alembic_version")
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n LIMIT 50000) SELECT * FROM n"
        rows.execute(f"CREATE TABLE half AS {numbers}")
        os._exit(0)
    os.waitpid(child, 0)
    assert Path(f"{path}-journal").stat().st_size > 0
    if named:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    open_store(project.find())
    with closing(sqlite3.connect(path)) as rows:
        assert rows.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)


def test_an_empty_file_is_no_store_yet(project_folder: Path) -> None:
    path = project_folder / "mlruns" / "mlflow.db"
    path.write_bytes(b"")
    open_store(project.find())
    assert path.stat().st_size > 0


def test_a_store_that_the_user_names_is_begun_as_the_own_one(
    project_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mine.db")
    open_store(project.find()).setting_id("s", "r")
    assert (tmp_path / "mine.db").stat().st_size > 0
    (tmp_path / "mine.db").write_bytes(os.urandom(5000))
    with pytest.raises(StoreError, match="mine.db: the database is damaged"):
        connect(project.find())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["the first page", "sixty pages"])
def test_no_flipped_bytes_of_a_database_are_a_traceback(project_folder: Path, kind: str) -> None:
    path = project_folder / "mlruns" / "mlflow.db"

    def use() -> None:
        store = open_store(project.find())
        with start(project.find(), **RUN, backend=store) as run:
            run.log(RunRecord(params={"C": 1}, metrics={"uar": 0.5}))
        connect(project.find()).settings()

    use()
    content, draw = path.read_bytes(), random.Random(0)
    said: list[str] = []
    for _ in range(20):
        spoilt = bytearray(content)
        pages = [0] if kind == "the first page" else draw.sample(range(len(content) // 4096), 60)
        for page in pages:
            for _ in range(3):
                spoilt[page * 4096 + draw.randrange(100)] = draw.randrange(256)
        path.write_bytes(bytes(spoilt))
        shutil.rmtree(project_folder / "mlruns" / "outbox", ignore_errors=True)
        try:
            use()
        except StoreError as error:
            said.append(str(error))
    assert len(said) > 5
    assert not any("\n" in one for one in said)


# --- disks -------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(project_folder: Path, empty_store: Path) -> Iterator[Path]:
    """Mount a disk of its own under mlruns, where that is allowed."""
    folder = project_folder / "mlruns"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("needs the right to mount a small disk")
    shutil.copy(empty_store, folder / "mlflow.db")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def one_line(err: str) -> str:
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.slow
@pytest.mark.parametrize("tracker", ["mlflow", "json"])
def test_runs_on_a_disk_that_cannot_be_written(small_disk: Path, tree: Path, tracker: str) -> None:
    assert told(tree, SER_TRACKER=tracker)[0] == 0
    shutil.rmtree(project.find().cache)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    code, err, seconds = told(tree, SER_TRACKER=tracker)
    assert (code, seconds < 40) == (1, True)
    assert "Read-only file system" in one_line(err)
    # Nothing was measured in vain.
    assert not (project.find().cache / "tables").exists()
    # What is there can be read.
    board = program("compare", "--json", SER_TRACKER=tracker)
    assert board.returncode == 0, board.stderr
    assert [row["experiment"] for row in json.loads(board.stdout)["runs"]] == ["dummy"]


@pytest.mark.slow
def test_a_folder_without_leave(tree: Path) -> None:
    mlruns = project.find().mlruns
    for mode in (0o500, 0o000):
        mlruns.chmod(mode)
        try:
            done = program("run", "dummy", "--corpus", "iemocap", "--root", str(tree), bound=True)
        finally:
            mlruns.chmod(0o700)
        assert done.returncode == 1
        assert "ermission" in one_line(done.stderr) or "unable to open" in one_line(done.stderr)
    assert not (project.find().cache / "tables").exists()


@pytest.mark.slow
@pytest.mark.parametrize("left", [0, 100_000, 1_500_000])
def test_runs_on_a_disk_without_room(small_disk: Path, tree: Path, left: int) -> None:
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "filler").write_bytes(b"\0" * (free - left))
    code, err, _ = told(tree)
    if code == 0:
        assert left > 1_000_000
        return
    assert code == 1
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert "No space left" in last or "full" in last or "make room" in last, err
    if left < 1_000_000:
        one_line(err)
        assert not (project.find().cache / "tables").exists()


# --- servers -----------------------------------------------------------------------------------------------------


@pytest.fixture
def mute_server() -> Iterator[str]:
    """Accept whatever comes, and never answer."""
    listening = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                held.append(listening.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.close()
    for one in held:
        one.close()


@pytest.mark.slow
def test_a_server_that_never_answers_is_said_with_how_long_it_was_waited_for(tree: Path, mute_server: str) -> None:
    code, err, seconds = told(tree, MLFLOW_TRACKING_URI=mute_server, MLFLOW_HTTP_REQUEST_TIMEOUT="2")
    assert code == 1
    said = one_line(err)
    assert f"tracking server {mute_server} did not answer within 2 s" in said
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT=8" in said
    assert seconds < 25
    assert not (project.find().cache / "tables").exists()


class _Refusing(BaseHTTPRequestHandler):
    """Answer everything with one code and a page, as a proxy or another program does."""

    code = 200

    def do_GET(self) -> None:
        self.send_response(self.code)
        self.end_headers()
        self.wfile.write(b"<html>no</html>")

    do_POST = do_GET

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    ("code", "said"),
    [(401, "refuses to answer"), (403, "refuses to answer"), (404, "refuses to answer"), (200, "does not answer"),
     (503, "does not answer")],
)  # fmt: skip
def test_a_server_that_is_another_program_or_asks_who_is_there(
    project_folder: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    server = HTTPServer(("127.0.0.1", 0), type("Refusing", (_Refusing,), {"code": code}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    try:
        with pytest.raises(StoreError, match=said) as told:
            open_store(project.find())
        assert "\n" not in str(told.value)
    finally:
        server.shutdown()
        server.server_close()


def test_patience_that_is_no_number(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon")
    with pytest.raises(InputError, match="MLFLOW_HTTP_REQUEST_TIMEOUT is 'soon'"):
        connect(project.find())


# --- ten at once -------------------------------------------------------------------------------------------------


def ten_at_once(folder: Path, tree: Path, n_processes: int) -> list[tuple[int, str]]:
    """Run as many first experiments at once in a project that has nothing yet: exit codes and errors."""
    from tests.test_interruptions import launch

    folder.mkdir(parents=True)
    (folder / "ser.toml").touch()
    shutil.copytree(project.find().experiments, folder / "experiments")
    here = Path.cwd()
    os.chdir(folder)
    try:
        started = [launch("run", "dummy", "--corpus", "iemocap", "--root", str(tree)) for _ in range(n_processes)]
        return [(one.returncode, err) for one in started for _, err in [one.communicate(timeout=600)]]
    finally:
        os.chdir(here)


def all_are_there(folder: Path, ended: list[tuple[int, str]]) -> None:
    assert [code for code, _ in ended] == [0] * len(ended), ended
    with closing(sqlite3.connect(folder / "mlruns" / "mlflow.db")) as rows:
        told = rows.execute("SELECT status, count(*) FROM runs GROUP BY status").fetchall()
    assert told == [("FINISHED", len(ended))]


@pytest.mark.slow
def test_four_first_runs_at_once(tree: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fresh"
    all_are_there(folder, ten_at_once(folder, tree, 4))


@pytest.mark.soak
@pytest.mark.parametrize("number", range(10))
def test_ten_first_runs_at_once(tree: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if number % 2:
        # A user for whom MLflow's empty database was never made: one of the ten makes it, the others wait.
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nobody's"))
    folder = tmp_path / "fresh"
    all_are_there(folder, ten_at_once(folder, tree, 10))
