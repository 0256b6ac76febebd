"""Build a corpus in processes of its own, or find it built."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ser_experiments.corpora._demo import espeak
from ser_experiments.errors import InputError, SerError, StoreError

#: Raise it with every change that changes a byte of the corpus: older ones are built anew.
VERSION = 1
MARKER = "demo.json"
_BUILDING = ".building-"
#: How long a build may take on a busy machine.
_PATIENCE_S = 600.0
#: A build takes seconds: what lies about for longer was left behind by one that was killed.
_STALE_S = 3600.0

Progress = Callable[[int, int], None]


def build(folder: Path, *, seed: int = 0, progress: Progress | None = None, jobs: int | None = None) -> Path:
    """Build the demo corpus, unless it is there.

    Parameters
    ----------
    folder : Path
        Where corpora of all seeds are kept; made if need be.
    seed : int
        Not negative. The same seed gives the same bytes, whatever the number of processes.
    progress : callable, optional
        Called as ``progress(n_done, n_total)`` with numbers of utterances, from one thread at a time.
    jobs : int, optional
        Processes at once; by default one a processor.

    Returns
    -------
    Path
        The release: the folder that holds ``Session1`` to ``Session5``, ``cues.csv`` and ``README.txt``.

    Raises
    ------
    InputError
        The voice is not installed, or the seed is negative.
    StoreError
        The folder cannot be written.
    SerError
        The voice does not speak here.
    """
    if seed < 0:
        raise InputError(f"corpus 'demo': seed is {seed}; it must be 0 or more")
    folder = folder.absolute()
    finished = built(folder, seed=seed)
    if finished is not None:
        return finished
    name = _name(seed)
    espeak.require()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(folder):
            if built(folder, seed=seed) is None:
                _sweep(folder)
                _build(folder, seed, progress, jobs)
    except OSError as error:
        raise StoreError(
            f"corpus 'demo': cannot be built under {folder}: {error.strerror or error}; "
            "let SER_CACHE name a folder that can be written"
        ) from error
    _remove_older(folder, seed)
    return folder / name


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until nobody else builds here, for what is built there is what is wanted; a dead one is not waited for."""
    # Beside the folder, which holds corpora alone.
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    # Whoever waits for too long, or cannot, builds beside the other: each has a workplace of its own.
    with suppress(Timeout, OSError):
        lock.acquire(timeout=_PATIENCE_S)
    try:
        yield
    finally:
        lock.release()


def _build(folder: Path, seed: int, progress: Progress | None, jobs: int | None) -> None:
    workplace = folder / f"{_BUILDING}{uuid.uuid4().hex}"
    workplace.mkdir()
    try:
        _write(workplace, seed, progress, jobs)
        _move_in(workplace, folder / _name(seed), seed)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def built(folder: Path, *, seed: int = 0) -> Path | None:
    """Return the whole corpus of a seed that a folder is or holds; None where there is none."""
    return next((one for one in (folder, folder / _name(seed)) if _is_finished(one, seed)), None)


def _name(seed: int) -> str:
    return f"demo-v{VERSION}-seed{seed}"


def _is_finished(root: Path, seed: int) -> bool:
    """Tell whether a folder is a whole corpus of this builder and seed."""
    try:
        marker = json.loads((root / MARKER).read_text(encoding="utf-8"))
        return bool(marker["version"] == VERSION and marker["seed"] == seed and marker["n_utterances"] == _count(root))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _count(root: Path) -> int:
    return sum(1 for _ in root.glob("Session*/sentences/wav/*/*.wav"))


def _write(root: Path, seed: int, progress: Progress | None, jobs: int | None) -> None:
    # Imported here, so that finding a finished corpus needs no more than the marker.
    from ser_experiments.corpora._demo.plan import SESSIONS, plan
    from ser_experiments.corpora._demo.release import write_records

    dialogs = plan(seed)
    total = sum(len(dialog.turns) for dialog in dialogs)
    write_records(root, seed, dialogs)
    _speak(root, seed, SESSIONS, jobs or os.cpu_count() or 1, _Counter(total, progress))
    marker = {
        "version": VERSION,
        "seed": seed,
        "n_utterances": total,
        "espeakng_loader": importlib.metadata.version("espeakng-loader"),
        "numpy": importlib.metadata.version("numpy"),
    }
    (root / MARKER).write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8", newline="\n")


class _Counter:
    """Add up what several sessions report."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress
        self._lock = threading.Lock()

    def add(self, n_utterances: int) -> None:
        with self._lock:
            self._done += n_utterances
            if self._progress is not None:
                self._progress(self._done, self._total)


def _speak(root: Path, seed: int, sessions: tuple[int, ...], jobs: int, counter: _Counter) -> None:
    """Build the sessions, each in a fresh process; when one fails or the user interrupts, end the others."""
    running: list[subprocess.Popen[str]] = []
    stop = threading.Event()
    starting = threading.Lock()  # none may start between the decision to stop and the end of those that run

    def one(session: int) -> None:
        with starting:
            if stop.is_set():
                return
            process = _start(root, seed, session)
            running.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            counter.add(int(line))
        if process.wait() != 0 and not stop.is_set():
            raise SerError(_last_words(process, session))

    with ThreadPoolExecutor(min(jobs, len(sessions))) as pool:
        try:
            for done in as_completed([pool.submit(one, session) for session in sessions]):
                done.result()
        finally:
            with starting:
                stop.set()
                for process in running:
                    if process.poll() is None:
                        process.kill()


def _start(root: Path, seed: int, session: int) -> subprocess.Popen[str]:
    """Start the process of one session, with the package on its path wherever it was imported from."""
    package = __name__.rpartition(".")[0]
    home = str(Path(__file__).parents[package.count(".") + 1])
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", package, str(root), str(seed), str(session)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


def _last_words(process: subprocess.Popen[str], session: int) -> str:
    assert process.stderr is not None
    words = process.stderr.read().strip().splitlines()
    if words and words[-1].startswith("corpus 'demo':"):
        return words[-1]
    why = words[-1] if words else "it said nothing"
    return f"corpus 'demo': speaking session {session} ended with code {process.returncode}: {why}"


def _move_in(workplace: Path, target: Path, seed: int) -> None:
    """Give the finished corpus its name in one step; what another process finished first stands."""
    try:
        workplace.rename(target)
    except OSError:
        if _is_finished(target, seed):
            return
        damaged = target.rename(target.with_name(f"{_BUILDING}{uuid.uuid4().hex}"))
        workplace.rename(target)
        shutil.rmtree(damaged, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what killed builds left behind."""
    for path, _, _ in leftovers(folder):
        shutil.rmtree(path, ignore_errors=True)


def leftovers(folder: Path) -> Iterator[tuple[Path, str, int]]:
    """Yield what killed builds left behind: its folder, why it is of no use, and its bytes."""
    for path in sorted(folder.glob(f"{_BUILDING}*")):
        # Another process may give it its name, or sweep it, in this moment.
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE_S:
                size = sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
                yield path, "half a corpus, left by a build that was killed", size


def _remove_older(folder: Path, seed: int) -> None:
    """Remove this seed's corpora of earlier builders."""
    for path in folder.glob(f"demo-v*-seed{seed}"):
        version = re.fullmatch(rf"demo-v(\d+)-seed{seed}", path.name)
        if version and int(version[1]) < VERSION and (path / MARKER).is_file():
            shutil.rmtree(path, ignore_errors=True)
