"""The command as it is typed: in a process of its own, or, in a tenth of the time, in this one."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

from ser_experiments.cli import answer

#: What a process runs that is the command itself.
PROGRAM = (sys.executable, "-c", "from ser_experiments.cli import main; main()")


def program(*arguments: str, cwd: Path | None = None, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process; a variable that is None is taken out of its environment."""
    given = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, cwd=cwd, env=given, check=False)


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
