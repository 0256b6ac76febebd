"""The command as it is typed: in a process of its own, or, in a tenth of the time, in this one."""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

from ser_experiments.cli import answer

#: Whoever starts the tests may ignore what Ctrl-C sends.
_HEARD = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
#: What a process runs that is the command itself.
PROGRAM = (sys.executable, "-c", f"{_HEARD}from ser_experiments.cli import main; main()")


def program(
    *arguments: str, cwd: Path | None = None, bound: bool = False, **environment: str | None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process; a variable that is None is taken out of its environment.

    With `bound` the permissions of files bind it even where the tests run as root.
    """
    given = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    before = _bind_by_permissions if bound and os.geteuid() == 0 else None
    return subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, cwd=cwd, env=given, check=False, preexec_fn=before
    )


def _bind_by_permissions() -> None:
    """Give up root's right to pass over permissions, for whatever is started next."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        if libc.prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP
            raise OSError(ctypes.get_errno(), "prctl")


def ser(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Answer as the command does, with the same texts and exit code, in this process."""
    out, err = io.StringIO(), io.StringIO()
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    code = 0
    try:
        with (
            mock.patch.object(sys, "argv", ["ser", *arguments]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            answer()
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        root.handlers = handlers
    return subprocess.CompletedProcess(["ser", *arguments], code, out.getvalue(), err.getvalue())
