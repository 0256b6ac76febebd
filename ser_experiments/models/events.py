"""What a long fit tells whoever listens: models know neither the tracker nor the terminal.

A fit emits events; :func:`observing` says who hears those of the code it encloses. Who listens is no parameter of an
estimator, so it changes neither its identity nor what ``clone`` copies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

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


Observer = Callable[[EpochEnd], None]
_OBSERVERS: ContextVar[tuple[Observer, ...]] = ContextVar("ser_observers", default=())


@contextmanager
def observing(observer: Observer) -> Iterator[None]:
    """Let `observer` hear the events of the enclosed code, beside those who already listen.

    Another process hears nothing: what a fit tells is also in the estimator's ``history_``.
    """
    token = _OBSERVERS.set((*_OBSERVERS.get(), observer))
    try:
        yield
    finally:
        _OBSERVERS.reset(token)


def emit(event: EpochEnd) -> None:
    """Tell all who listen; an observer's exception ends the fit."""
    for observer in _OBSERVERS.get():
        observer(event)


@contextmanager
def showing_progress(every: int = 10) -> Iterator[None]:
    """Show the epochs of the enclosed fits: a bar on a terminal, elsewhere a line in the log now and then.

    Parameters
    ----------
    every : int
        Epochs between two lines of the log.
    """
    import sys

    if not sys.stderr.isatty():
        with observing(lambda event: _log_epoch(event, every)):
            yield
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def update(event: EpochEnd) -> None:
            bar.update(task, description=_describe(event), completed=event.epoch, total=event.n_epochs)

        with observing(update):
            yield


def _log_epoch(event: EpochEnd, every: int) -> None:
    if event.epoch % every == 0:
        log.info("epoch %d of at most %d: %s", event.epoch, event.n_epochs, _describe(event))


def _describe(event: EpochEnd) -> str:
    numbers = ", ".join(f"{name} {value:.3f}" for name, value in event.metrics.items() if name != "lr")
    return f"{event.model} {numbers}"
