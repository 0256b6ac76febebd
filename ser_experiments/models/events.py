"""What a long fit tells whoever listens: models know neither the tracker nor the terminal.

A fit emits events; :func:`observing` says who hears those of the code it encloses. Who listens is no parameter of an
estimator, so it changes neither its identity nor what ``clone`` copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from ser_experiments import doing
from ser_experiments.doing import Step


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


#: What a line has room for.
_SHOWN = ("valid_uar", "valid_ccc", "refit_loss")
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
    if doing.listener() is not None:
        numbers = _words({name: value for name, value in event.metrics.items() if name in _SHOWN})
        doing.at(Step("epoch", event.epoch, event.n_epochs, numbers))
    for on_epoch_end in _CALLBACKS.get():
        on_epoch_end(event)


def _words(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
