"""Where parallel work runs: in processes of this machine, or on a Dask cluster through joblib's own backend."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from multiprocessing import parent_process
from typing import Any
from urllib.parse import urlsplit

import joblib
from threadpoolctl import ThreadpoolController

from ser_experiments import doing, plugins
from ser_experiments.errors import InputError
from ser_experiments.secret import hidden, know

log = logging.getLogger(__name__)
#: Names the scheduler where no address is given, as Dask's own programs do.
ADDRESS = "DASK_SCHEDULER_ADDRESS"
#: How often work is handed out again after a worker took data with it that others need.
ATTEMPTS = 3
_CONNECT_S = 15.0
#: Seconds between two looks at whether the parent lives.
_WATCH_S = 1.0


@contextmanager
def on_cluster(address: str | None = None) -> Iterator[None]:
    """Run extraction, folds, trials and members on a Dask cluster while it lasts.

    Parameters
    ----------
    address : str, optional
        Of the scheduler, e.g. ``"tcp://host:8786"``; by default ``DASK_SCHEDULER_ADDRESS``, and without either this
        machine's processes are used.

    Raises
    ------
    InputError
        Dask is not installed, no scheduler answers, or it has no workers.
    """
    address = address or os.environ.get(ADDRESS)
    know(address)
    if not address:
        yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("--scheduler needs Dask: pip install 'ser_experiments[dask]'") from error
    try:
        _knock(address)
        client = Client(address, timeout=_CONNECT_S)
        _wait_for_workers(client)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler with workers answers at {hidden(address)!r}; start `dask scheduler` and `dask worker`, "
            "or leave --scheduler out"
        ) from error
    _share_plugins(client)
    with client, joblib.parallel_config(backend="dask"):
        log.info(
            "on the cluster at %s: %d workers", hidden(address), len(client.scheduler_info(n_workers=-1)["workers"])
        )
        yield


def _wait_for_workers(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=_CONNECT_S)
    except TimeoutError:
        client.close()
        raise


def _share_plugins(client: Any) -> None:
    """Tell all workers, those that come later too, where the project's plug-ins lie; the folder must be theirs too."""
    from distributed import WorkerPlugin

    folder = plugins.folder()

    class Plugins(WorkerPlugin):
        def setup(self, worker: Any) -> None:
            plugins.use(folder)

    client.register_plugin(Plugins(), name=plugins.__name__)


def _knock(address: str) -> None:
    """Open and close a connection; a Dask client that fails to connect leaves threads that can block the next one."""
    found = urlsplit(address)
    if not found.hostname or not found.port:
        raise ValueError("an address is tcp://host:port")
    socket.create_connection((found.hostname, found.port), timeout=_CONNECT_S).close()


def chosen_workers() -> int | None:
    """Return the number of workers of the backend that ``joblib.parallel_config`` has set, None if it has not."""
    backend, n_jobs = joblib.parallel.get_active_backend()
    if type(backend) is joblib.parallel.BACKENDS[joblib.parallel.DEFAULT_BACKEND]:
        return None
    return int(backend.effective_n_jobs(n_jobs))


@contextmanager
def single_threaded() -> Iterator[None]:
    """Keep a fit in one piece while it lasts: nothing of it is handed out, and its numerics have one thread.

    So sums are taken in the same order wherever it runs, and a forest does not send each of its trees over a network.
    """
    with joblib.parallel_config(backend="sequential"), one_thread():
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep numerical libraries to one thread while it lasts, so that sums are taken in the same order.

    To find out which libraries are loaded takes milliseconds; that is done again only after an import.
    """
    with _libraries(len(sys.modules)).limit(limits=1):
        yield


@lru_cache(maxsize=1)
def _libraries(n_modules: int) -> ThreadpoolController:
    return ThreadpoolController()


def as_completed(tasks: Iterable[Any], jobs: int, **options: Any) -> Iterator[Any]:
    """Hand out tasks and yield what they give, in the order of finishing.

    Parameters
    ----------
    tasks : iterable
        Of ``joblib.delayed`` calls; taken as workers have room.
    jobs : int
        Processes of this machine; a backend that the caller has set, such as Dask, has its own number.
    **options
        For :class:`joblib.Parallel`.
    """
    # loky replaces a worker whose memory grew, as that of encoders does, and hands its work out again: nothing is lost.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given", category=UserWarning)
    # Numerical libraries that each start a thread a core would fight over the cores.
    here = {"backend": "loky", "n_jobs": jobs, "inner_max_num_threads": 1}
    here |= {"initializer": _begin, "initargs": (plugins.folder(), doing.workplace())}
    with joblib.parallel_config(**here) if chosen_workers() is None else nullcontext():
        pool = joblib.Parallel(return_as="generator_unordered", **options)
    with _deaf_to_interrupts():
        found: Iterator[Any] = pool(tasks)
    return found


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let processes that are started meanwhile not hear Ctrl-C, which a terminal sends to all of them.

    The process that started them hears it and ends them; each would only print where it stood.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(plugins_folder: str | None, told_in: str | None = None) -> None:
    """Begin as a worker: know the plug-ins of the process that started it, tell it where this is, and end with it."""
    plugins.use(plugins_folder)
    doing.note_in(told_in)
    _end_with_parent()


def _end_with_parent() -> None:
    """End this worker when the process that started it is gone.

    It would otherwise wait minutes for work that nobody can hand out, with the memory and the open files of the run.
    """
    started_by = parent_process()
    parent = os.getppid() if started_by is None or started_by.pid is None else started_by.pid

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_S)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


def worker_lost_errors() -> tuple[type[BaseException], ...]:
    """Return the errors that say that a worker is gone with data that other tasks need."""
    try:
        from distributed import CancelledError, KilledWorker
        from distributed.client import FutureCancelledError
    except ImportError:
        return ()
    return CancelledError, KilledWorker, FutureCancelledError
