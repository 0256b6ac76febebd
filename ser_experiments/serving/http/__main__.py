"""Serve the model of a folder: ``python -m ser_experiments.serving.http FOLDER``."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn

#: Requests that wait: of short ones, and of long ones.
WAITING, LONG_WAITING = 128, 4
#: Bytes that a process may take for what it answers; a large network needs more than the recordings allow others.
MEMORY = 1024 * 2**20
#: After so many seconds a long request that was not taken may be sent again.
_LONG_AGAIN_S = 10
_MOST_CONNECTIONS = 1024


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5001)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=30.0)
    parser.add_argument("--allowed-hosts", default="")
    parser.add_argument("--title", default="a model")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, _terminated)
    # A request has one core: others are answered beside it.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    from ser_experiments.errors import SerError
    from ser_experiments.serving.http.loaded import VARIABLE

    os.environ[VARIABLE] = str(asked.folder)
    try:
        asyncio.run(serve(asked))
    except SerError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


async def serve(asked: argparse.Namespace) -> None:
    """Start the processes that answer, then listen.

    Raises
    ------
    InputError
        The model cannot be used.
    """
    import uvicorn

    from ser_experiments.serving.hosts import TrustedHosts, names_in
    from ser_experiments.serving.http.app import App
    from ser_experiments.serving.http.lanes import Lane
    from ser_experiments.serving.http.protocol import Protocol
    from ser_experiments.serving.http.worker import Place

    folder = str(asked.folder)
    short = Lane(folder, Place(True, MEMORY), asked.workers, WAITING, 1)
    long = Lane(folder, Place(False, MEMORY), 1, LONG_WAITING, _LONG_AGAIN_S)
    app = TrustedHosts(App(short, long, asked.timeout), names_in(asked.allowed_hosts))
    config = uvicorn.Config(
        app, host=asked.host, port=asked.port, http=Protocol, ws="none", lifespan="off", log_level="warning",
        access_log=False, server_header=False, limit_concurrency=_MOST_CONNECTIONS, timeout_graceful_shutdown=5,
    )  # fmt: skip
    try:
        await short.start()
        await long.start()
        server = uvicorn.Server(config)
        told = asyncio.create_task(
            _tell(server, f"serving {asked.title} on http://{asked.host}:{asked.port}/invocations; see /docs")
        )
        await server.serve()
        told.cancel()
    finally:
        short.end()
        long.end()


async def _tell(server: uvicorn.Server, words: str) -> None:
    """Say so when it listens."""
    while not server.started:
        await asyncio.sleep(0.05)
    print(words, file=sys.stderr, flush=True)


def _terminated(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
