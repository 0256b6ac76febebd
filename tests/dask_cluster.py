"""A real Dask scheduler and two worker processes on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.browser import free_port


class Cluster:
    """A scheduler and its workers."""

    def __init__(self, folder: Path) -> None:
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.folder = folder
        port = self.address.rsplit(":", 1)[1]
        self.scheduler = self._start("dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        self.workers = [self.add_worker() for _ in range(2)]

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        with open(self.folder / f"{program}.log", "ab") as said:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", *arguments],
                stdout=said, stderr=said, cwd=self.folder, env=environment, start_new_session=True,
            )  # fmt: skip

    def add_worker(self) -> subprocess.Popen[bytes]:
        """Start a worker process with one thread and nobody who would start it again."""
        return self._start("dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard")

    def wait(self) -> None:
        from distributed import Client

        end = time.monotonic() + 300
        while True:
            try:
                with Client(self.address, timeout=5) as client:
                    client.wait_for_workers(2, timeout=30)
                    return
            except (OSError, TimeoutError):
                assert time.monotonic() < end, (self.folder / "dask_worker.log").read_text()

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)
