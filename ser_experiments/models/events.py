"""What a long fit tells whoever listens: models know neither the tracker nor the terminal.

A fit emits events; :func:`observing` says who hears those of the code it encloses. Who listens is no parameter of an
estimator, so it changes neither its identity nor what ``clone`` copies.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EpochEnd:
    """One pass of a network over its training rows has ended.

    Parameters
    ----------
    model : str
        The estimator's class.
    epoch : int
        Counted from 1.
    n_epochs : int
        The most there can be; early stopping may end sooner.
    metrics : mapping of str to float
        As a row of the estimator's ``history_``; names do not repeat within a fit's epoch.
    train_s : float
        Seconds of the pass, without scoring the held-out rows.
    """

    model: str
    epoch: int
    n_epochs: int
    metrics: Mapping[str, float]
    train_s: float = 0.0


#: What a bar has room for.
_SHOWN = ("train_loss", "valid_loss", "valid_uar", "valid_ccc", "refit_loss")
OnEpochEnd = Callable[[EpochEnd], None]
_CALLBACKS: ContextVar[tuple[OnEpochEnd, ...]] = ContextVar("ser_callbacks", default=())


@contextmanager
def observing(on_epoch_end: OnEpochEnd) -> Iterator[None]:
    """Call `on_epoch_end` after each epoch of the fits of the enclosed code, beside those who already listen.

    Another process hears nothing: what a fit tells is also in the estimator's ``history_``.
    """
    token = _CALLBACKS.set((*_CALLBACKS.get(), on_epoch_end))
    try:
        yield
    finally:
        _CALLBACKS.reset(token)


def emit(event: EpochEnd) -> None:
    """Tell all who listen; an exception of one of them ends the fit."""
    for on_epoch_end in _CALLBACKS.get():
        on_epoch_end(event)


class EpochBar:
    """Show the epochs of the enclosed fits: a bar on a terminal, elsewhere a line in the log now and then.

    ``with EpochBar() as bar: estimator.fit(X, y)``; ``bar.hide()`` gives the terminal back until the next epoch.

    Parameters
    ----------
    every : int, default=10
        Epochs between two lines of the log.
    """

    def __init__(self, every: int = 10) -> None:
        self.every = every
        self._bar: Any = None
        self._task = 0
        self._listening = ExitStack()

    def __enter__(self) -> EpochBar:
        self._listening.enter_context(observing(self._on_epoch_end))
        return self

    def _on_epoch_end(self, event: EpochEnd) -> None:
        if not sys.stderr.isatty():
            if event.epoch % self.every == 0:
                numbers = _words({name: value for name, value in event.metrics.items() if name != "lr"})
                log.info("epoch %d of at most %d: %s %s", event.epoch, event.n_epochs, event.model, numbers)
            return
        if self._bar is None:
            self._show(event.n_epochs)
        losses = {name: value for name, value in event.metrics.items() if name in _SHOWN}
        self._bar.update(
            self._task,
            description=f"{event.model}, epoch",
            numbers=_words(losses),
            completed=event.epoch,
            total=event.n_epochs,
        )

    def _show(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[numbers]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=total, numbers="")
        self._bar.start()

    def hide(self) -> None:
        """Take the bar away; the next epoch brings it back."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def __exit__(self, *raised: object) -> None:
        self._listening.close()
        self.hide()


def _words(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
