"""Run another program, such as MLflow's pages, in this one's name: it ends when this one does, however that ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from ser_experiments.errors import InputError

if TYPE_CHECKING:
    from ser_experiments.tracking.backend import Program

#: How long a program that was asked to end has for it.
_PATIENCE_S = 10.0
#: How often it is looked whether the program answers.
_LOOK_S = 0.1


def check_port(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on.

    Raises
    ------
    InputError
        Something listens there already, or it is no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            if os.name == "posix":
                # What lately listened there and has ended is no hindrance.
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or error
        raise InputError(
            f"port {port} of {host} cannot be listened on ({said}); choose another with --port, or end what is there"
        ) from error


def run(program: Program, host: str, port: int, announce: Callable[[], None]) -> int:
    """Run a program that listens until it ends, and return its exit code.

    It has a session of its own, so that no signal of the terminal ends only a part of it: what this process is told
    (Ctrl-C, SIGTERM, a closed terminal), all of it is told.

    Parameters
    ----------
    program : Program
        What to run.
    host : str
        Where it listens.
    port : int
        On which port.
    announce : callable
        Called once, when it listens.
    """
    child = subprocess.Popen(list(program.arguments), env=dict(program.environment), start_new_session=True)
    said = threading.Event()

    def tell() -> None:
        while not said.is_set() and child.poll() is None:
            if _listens(host, port):
                announce()
                return
            time.sleep(_LOOK_S)

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    ends = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # Whoever let a signal be ignored (nohup) wants the program to outlive it.
    before = {one: signal.signal(one, stop) for one in ends if signal.getsignal(one) != signal.SIG_IGN}
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        code = child.wait()
    finally:
        said.set()
        _end(child)
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def become(program: Program) -> None:
    """Let a program take this process's place, with its number and its signals; nothing of this one stays.

    Where the system has no such thing, the program is run until it ends.
    """
    if os.name == "posix":
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(program.arguments[0], list(program.arguments), dict(program.environment))
    leave(run(program, "", 0, lambda: None))


def _listens(host: str, port: int) -> bool:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    try:
        with socket.create_connection((reachable, port), timeout=_LOOK_S):
            return True
    except OSError:
        return False


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        try:
            if hasattr(os, "killpg"):
                os.killpg(child.pid, number)
            else:
                child.send_signal(number)
        except (ProcessLookupError, PermissionError):
            return
        try:
            child.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            continue
        # The program is gone; of what it started something may still be there.
        time.sleep(_LOOK_S)


def leave(code: int) -> None:
    """End this process as the program ended; one that could not go on is a failure."""
    if code:
        sys.exit(code)
