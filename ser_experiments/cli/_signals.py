"""The signals that end a command: heard while it works, and heard as well where Python would swallow them."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Any

#: Long enough to be out of what swallowed an interruption, too short for a person to wait.
_AGAIN_S = 0.02


def hear() -> None:
    """Let SIGTERM end the work as Ctrl-C does, and neither of them be lost."""
    signal.signal(signal.SIGTERM, _terminated)
    sys.unraisablehook = _unheard


def end_at_once() -> None:
    """Leave signals to the system: all is done and told.

    Raising in the interpreter's own shutdown would only print where that stood.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _terminated(number: int, frame: FrameType | None) -> None:
    """Let a run that is told to end say so where it is logged; the code is the one shells give for SIGTERM."""
    raise SystemExit(128 + number)


def _unheard(unraisable: Any) -> None:
    """Interrupt again, a moment later, where Python could not pass an interruption on.

    What is raised in a call from C (numba's compiler makes such) or in a destructor ends there: the work would go on
    as if nobody had pressed a key, and a traceback would be printed.
    """
    error = unraisable.exc_value
    if isinstance(error, KeyboardInterrupt):
        number = signal.SIGINT
    elif isinstance(error, SystemExit) and error.code == 128 + signal.SIGTERM:
        number = signal.SIGTERM
    else:
        sys.__unraisablehook__(unraisable)
        return
    again = threading.Timer(_AGAIN_S, _interrupt, [number])
    again.daemon = True
    again.start()


def _interrupt(number: signal.Signals) -> None:
    """Send a signal to the main thread, also while that waits for something."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)
    else:
        signal.raise_signal(number)
