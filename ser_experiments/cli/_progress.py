"""The one line that says on standard error what is done: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import logging
import math
import shutil
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ser_experiments import doing
from ser_experiments.cli._say import said, say
from ser_experiments.doing import Step, clock

if TYPE_CHECKING:
    from ser_experiments.evaluation.crossval import FoldResult
    from ser_experiments.features import Progress

log = logging.getLogger("ser_experiments")
#: Seconds between two plain lines, and after which a stage is worth one.
_LINE_S = 10.0
#: So many folds get a line each; of more, one now and then.
_FEW_FOLDS = 12
#: Characters of the bar itself, and of a line without a terminal.
_BAR, _PLAIN = 16, 100
#: Looks a second at how far work is.
_LOOKS = 8


class Showing:
    """Show what the enclosed code does, in this process and in its workers; with ``-q`` nothing.

    ``with Showing() as shown: run_experiment(..., on_fold=shown.fold, progress=shown.measured)``
    """

    def __init__(self) -> None:
        self.loud = log.isEnabledFor(logging.INFO)
        self._terminal = sys.stderr.isatty()
        self._stage = Step("starting")
        self._parts: tuple[Step, ...] = ()
        self._began = self._line_at = time.monotonic()
        self._line = ""
        self._ended = threading.Event()
        self._open = ExitStack()

    def __enter__(self) -> Showing:
        if self.loud:
            doing.forget_notes()
            self._open.enter_context(doing.heard_by(self))
            self._open.enter_context(self._bar() if self._terminal else _Ticking(self._look, self._ended))
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._open.close()

    def stage(self, step: Step) -> None:
        """Show another stage, or that one is further."""
        if step.what != self._stage.what:
            self._began = time.monotonic()
            self._parts = ()
            log.debug("%s%s", step.what, f" ({step.total})" if step.total else "")
        self._stage = step

    def parts(self, parts: tuple[Step, ...]) -> None:
        """Show where inside the stage this process is."""
        self._parts = parts

    def measured(self, progress: Progress) -> None:
        """Show how far reading or measuring is."""
        speed = progress.audio_s / progress.elapsed_s if progress.elapsed_s > 0 else 0.0
        note = f"{speed:.3g} x real time" if progress.audio_s else ""
        self.stage(Step(progress.stage, progress.done, progress.total, note, progress.left_s))

    def say(self, line: str) -> None:
        """Print a line of its own."""
        if self.loud:
            say(line, err=True)

    def fold(self, result: FoldResult) -> None:
        """Print a line about a fold that is done."""
        if not self.loud:
            return
        now = time.monotonic()
        last = result.n_done == result.n_folds
        if result.n_folds <= _FEW_FOLDS or now - self._line_at >= _LINE_S or last:
            self._line_at = now
            say(fold_line(result), err=True)

    def _look(self) -> None:
        """Print a plain line, where there is something to say that was not said."""
        now, line = time.monotonic(), self.line(_PLAIN, bar=False)
        if self._stage.what and now - self._line_at >= _LINE_S and now - self._began >= _LINE_S and line != self._line:
            self._line_at, self._line = now, line
            say(line, err=True)

    def _bar(self) -> Any:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        console = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)

        def shown() -> Text:
            # Not rich's own width: a terminal may be made narrower meanwhile. The last column stays free, or some
            # terminals go on to the next line.
            width = shutil.get_terminal_size((console.width, 24)).columns - 1
            return Text(self.line(width), no_wrap=True, overflow="crop", end="")

        return Live(
            console=console,
            get_renderable=shown,
            refresh_per_second=_LOOKS,
            transient=True,
            # What is printed on the same terminal meanwhile stands above the bar.
            redirect_stdout=sys.stdout.isatty(),
        )

    def line(self, width: int, *, bar: bool = True) -> str:
        """Return what is done in one line of at most so many characters; what matters least goes first."""
        stage = self._stage
        if not stage.what:
            return ""
        share = min(stage.done / stage.total, 1.0) if stage.total else 0.0
        drawn = f"{'━' * round(_BAR * share):╌<{_BAR}}" if bar and stage.total else ""
        count = f"{stage.done}/{stage.total}" if stage.total else ""
        left = f"{clock(stage.left_s)} left" if 0 < stage.left_s < math.inf else ""
        waited = time.monotonic() - self._began
        # Where nobody knows how long it takes, that it goes on is shown by how long it took.
        left = left or (clock(waited) if waited >= 1 else "")
        inside = self._inside()
        must = _joined(stage.what, count, stage.note, left)
        for words in (
            (stage.what, drawn, count, stage.note, inside, left),
            (stage.what, count, stage.note, inside, left),
        ):
            if len(_joined(*words)) <= width:
                return _joined(*words)
        room = width - len(must) - 2
        if inside and room >= 8:
            return _joined(stage.what, count, stage.note, f"{inside[: room - 1]}…", left)
        return must if len(must) <= width else f"{_joined(stage.what, count, left)[: width - 1]}…"

    def _inside(self) -> str:
        """Return where inside its stage work is: this process, or the worker that is furthest in."""
        found = [self._parts] if self._parts else doing.noted()
        deepest = max(found, key=len, default=())
        more = f" (+{len(found) - 1})" if len(found) > 1 else ""
        told = ", ".join(str(one) for one in deepest)
        note = deepest[-1].note if deepest else ""
        return said(f"{told}{' ' if note else ''}{note}{more}")


def fold_line(result: FoldResult) -> str:
    """Return what is said of a fold that is done."""
    score = "-" if math.isnan(result.score) else f"{result.score:.2f}"
    took = "reused" if result.report.reused else f"{result.fit_s + result.predict_s:.1f} s"
    left = f"{clock(result.left_s)} left" if 0 < result.left_s < math.inf else ""
    place = f"  fold {result.n_done}/{result.n_folds}"
    return _joined(place, result.fold.name, f"{result.title} {score}", took, left)


def _joined(*words: str) -> str:
    return "  ".join(word for word in words if word)


class _Ticking:
    """Call something a few times a second in a thread of its own, while it lasts."""

    def __init__(self, call: Any, ended: threading.Event) -> None:
        self._call, self._ended = call, ended
        self._thread = threading.Thread(target=self._tick, name="says-what-is-done", daemon=True)

    def _tick(self) -> None:
        while not self._ended.wait(1.0):
            self._call()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()
