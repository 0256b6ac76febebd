"""What a fit tells of itself, and the one way to ask for it through pipelines and wrappers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline


@dataclass(frozen=True)
class SearchReport:
    """What a search on inner folds found.

    Parameters
    ----------
    best_params : mapping of str to value
        What was chosen, by the names of the space.
    best_score : float
        Its score over the inner folds.
    trials : sequence of mapping
        ``number``, ``params``, the score by its name and ``seconds`` of each trial.
    metric : str
        The name of the score.
    """

    best_params: Mapping[str, Any]
    best_score: float
    trials: Sequence[Mapping[str, Any]] = ()
    metric: str = "uar"


@dataclass(frozen=True)
class FitReport:
    """What a fit tells.

    Parameters
    ----------
    reused : bool or None
        Whether the fit was kept by an earlier run; None where fits are not kept at all.
    seconds : float or None
        How long the fit took when it was made; None where nobody noted it.
    search : SearchReport or None
        What chose its parameters.
    members : mapping of str to FitReport
        Of an ensemble, what each member tells.
    weights : mapping of str to float
        Of a stack, the weight of each member.
    history : sequence of mapping
        Of a network, numbers by epoch.
    best_epoch : int or None
        The epoch whose weights were kept, counted from 1.
    layer_weights : mapping of str to float
        Of a network on several arrays side by side, such as layers of an encoder, the weight of each; they sum to 1.
    """

    reused: bool | None = None
    seconds: float | None = None
    search: SearchReport | None = None
    members: Mapping[str, FitReport] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    history: Sequence[Mapping[str, float]] = ()
    best_epoch: int | None = None
    layer_weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def n_reused(self) -> int:
        """Count the fits, its own and its members', that were kept by earlier runs."""
        return bool(self.reused) + sum(member.n_reused for member in self.members.values())

    @property
    def made_in_s(self) -> float | None:
        """Return the seconds that the fit, or its members, took when made; None where one is not known."""
        if self.seconds is not None or not self.members:
            return self.seconds
        known = [member.made_in_s for member in self.members.values()]
        return None if None in known else sum(one for one in known if one is not None)

    def as_dict(self) -> dict[str, Any]:
        """Return what ``fits.json`` holds of a fit; the history is logged by itself."""
        found: dict[str, Any] = {}
        if self.search is not None:
            found["best_params"] = dict(self.search.best_params)
            found[f"inner_{self.search.metric}"] = self.search.best_score
            found["trials"] = [dict(trial) for trial in self.search.trials]
        if self.members:
            found["members"] = {name: member.as_dict() for name, member in self.members.items()}
        if self.weights:
            found["weights"] = dict(self.weights)
        if self.layer_weights:
            found["layer_weights"] = dict(self.layer_weights)
        return found if self.reused is None else {**found, "reused": self.reused}


@runtime_checkable
class TellsOfItsFit(Protocol):
    """A fitted estimator with something to tell."""

    @property
    def fit_report_(self) -> FitReport:
        """Return it."""


@runtime_checkable
class HasMembers(Protocol):
    """A fitted ensemble."""

    @property
    def members_(self) -> Mapping[str, BaseEstimator]:
        """Return the fitted members by name."""


def report_of(fitted: Any) -> FitReport:
    """Return what a fitted estimator, or the one at the end of a pipeline, tells of its fit."""
    if isinstance(fitted, Pipeline):
        return report_of(fitted.steps[-1][1])
    return fitted.fit_report_ if isinstance(fitted, TellsOfItsFit) else FitReport()


def members_of(fitted: Any) -> Mapping[str, BaseEstimator]:
    """Return the fitted members of an ensemble by name; none of any other estimator."""
    return fitted.members_ if isinstance(fitted, HasMembers) else {}
