"""Choose parameters on inner folds that keep groups apart: the search is a part of the fit.

The search sees the training rows alone, so an outer fold tests what it chose on people that it never heard.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from ser_experiments import doing
from ser_experiments.errors import InputError
from ser_experiments.models.fit_key import fit_key
from ser_experiments.models.fits import TRIALS
from ser_experiments.models.grouping import ByColumn, development_of, input_columns, outputs_of
from ser_experiments.models.judged import JUDGES, Judge, is_calibrated
from ser_experiments.models.report import FitReport, SearchReport, report_of
from ser_experiments.models.search_space import FEATURES, fixed, grid, holds, suggest
from ser_experiments.models.wrapper import Wrapper, fit
from ser_experiments.parallel import chosen_workers, single_threaded

if TYPE_CHECKING:
    import optuna

log = logging.getLogger(__name__)
#: Attributes that had another name in models saved before.
_RENAMED = {"best_uar_": "best_score_", "trials_": "cv_results_"}


class Tuned(Wrapper):
    """A pipeline whose parameters are chosen by a score pooled over inner folds, then fitted on all rows.

    The score is the UAR of classes, and the CCC of numbers: see :mod:`ser_experiments.models.judged`. Where the folds
    name a development side, it is that of it, by a fit on the other rows.

    The first trial is the recipe as it stands; the others are drawn by Optuna's TPE sampler, or, where the space holds
    no more combinations of choices than there are trials, each combination has one. Every trial has a seed
    of its own and is written to a file as soon as it is done, so a search that was interrupted goes on where it stopped
    and ends where it would have ended.

    Parameters
    ----------
    recipe : dict
        Arguments of :func:`ser_experiments.models.pipeline.build_pipeline`.
    space : dict of str to dict or list
        What is searched: ``"model.C": {"low": 0.1, "high": 10.0, "log": True}`` or a list of choices; the names are
        ``model.`` and a parameter of the family, ``pipeline.`` and an option of the pipeline, or ``features.SET.`` and
        a parameter that chooses among the set's outputs, such as the layers of an encoder.
    trials : int, default=25
        Trials, the recipe's own among them.
    folds : int, default=3
        Inner folds; one where there is a development side.
    seed : int, default=0
        Seed of the search.
    folder : str, optional
        Where trials are kept; it changes no number.

    Attributes
    ----------
    estimator_ : pipeline
        Fitted on all rows with the best parameters.
    best_params_ : dict
        The chosen values by the names of the space; of equal trials the first.
    best_score_ : float
        Their score.
    cv_results_ : list of dict
        ``number``, ``params``, the score by its name (``uar`` or ``ccc``) and ``seconds`` of each trial.
    """

    version = "2"
    libraries = ("optuna",)
    without_effect = ("folder",)
    parallel_inside = True

    def __init__(
        self,
        recipe: dict[str, Any],
        space: dict[str, Any],
        trials: int = 25,
        folds: int = 3,
        seed: int = 0,
        folder: str | None = None,
    ) -> None:
        self.recipe = recipe
        self.space = space
        self.trials = trials
        self.folds = folds
        self.seed = seed
        self.folder = folder

    def fit(self, X: pd.DataFrame, y: object, sample_weight: NDArray[np.float64] | None = None) -> Tuned:
        """Search on inner folds and fit the best pipeline on all rows.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            A feature table with ``group``.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Class labels, or numbers.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows, in fits and in scores.
        """
        truth, metric = np.asarray(y), self._judge.metric
        finished = self._search(X, truth, sample_weight)
        self.cv_results_ = [
            {"number": n, "params": t.user_attrs["params"], metric: t.value, "seconds": t.user_attrs["seconds"]}
            for n, t in enumerate(finished)
        ]
        best = max(self.cv_results_, key=lambda trial: (trial[metric], -trial["number"]))
        self.best_params_, self.best_score_ = dict(best["params"]), float(best[metric])
        with single_threaded():
            self._hold(fit(self._pipeline(self.best_params_), X, truth, sample_weight))
        return self

    def wrapped(self) -> BaseEstimator:
        """Return the recipe's own pipeline."""
        return self._pipeline({})

    def builds(self) -> BaseEstimator:
        """Return the recipe's own pipeline: its versions and libraries are the search's."""
        return self.wrapped()

    def check_space(self) -> None:
        """Refuse a choice or an end of a range that the pipeline does not take, before anything is fitted.

        Raises
        ------
        InputError
            It names the place in the space and says what is wrong with the value.
        """
        for name, values in self.space.items():
            for value in values if isinstance(values, list) else (values["low"], values["high"]):
                try:
                    self._pipeline({name: value})
                    recipe = self._recipe({name: value})
                    outputs_of(recipe.get("sets") or (), recipe.get("set_params"))
                except InputError as error:
                    raise InputError(f"search: space: {name} = {value!r}: {error}") from error

    def input_columns(self, X: pd.DataFrame) -> list[str]:
        """Return the columns that a fit depends on, whatever is chosen."""
        choices = [values for name, values in self.space.items() if name.startswith(FEATURES)]
        names = [name for name in self.space if name.startswith(FEATURES)]
        every: list[dict[str, Any]] = [dict(zip(names, each, strict=True)) for each in product(*choices)]
        found = [input_columns(self._pipeline(chosen, calibrate=False), X) for chosen in every]
        return list(dict.fromkeys(name for columns in found for name in columns))

    @property
    def fit_report_(self) -> FitReport:
        """What the best pipeline tells of its fit, the chosen parameters, their score, and every trial."""
        search = SearchReport(self.best_params_, self.best_score_, self.cv_results_, self._judge.metric)
        return replace(report_of(self.estimator_), search=search)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the names of attributes that models were saved with before."""
        super().__setstate__({_RENAMED.get(name, name): value for name, value in state.items()})

    @property
    def _judge(self) -> Judge:
        return JUDGES[self.recipe.get("learns", "labels")]

    def _pipeline(self, chosen: Mapping[str, Any], *, calibrate: bool = True) -> BaseEstimator:
        from ser_experiments.models.pipeline import build_pipeline

        recipe = self._recipe(chosen)
        return build_pipeline(**(recipe if calibrate else {**recipe, "calibrate": "none"}))

    def _recipe(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Return the recipe with what was chosen instead of its own."""
        recipe: dict[str, Any] = {**self.recipe, "params": dict(self.recipe.get("params") or {})}
        for name, value in chosen.items():
            section, option = name.split(".", 1)
            if section == "model":
                recipe["params"][option] = value
            elif name.startswith(FEATURES):
                one, param = option.rsplit(".", 1)
                given = recipe.get("set_params") or {}
                recipe["set_params"] = {**given, one: {**given.get(one, {}), param: value}}
            else:
                recipe[option] = value
        return recipe

    def _score(
        self,
        chosen: Mapping[str, Any],
        X: pd.DataFrame,
        y: NDArray[Any],
        splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
        weights: NDArray[np.float64] | None,
    ) -> float:
        """Return the score pooled over what is tested inside. Calibration is left out: the score makes up for it."""
        judge = self._judge
        # Of the type of the truth, which a stack may hand its members as numbers.
        predicted = np.empty_like(y)
        pipeline = self._pipeline(chosen, calibrate=False)
        # One after the other in a process; side by side where a cluster is there.
        parallel = Parallel(n_jobs=chosen_workers() or 1)
        found = parallel(
            delayed(_fit_and_predict)(pipeline, judge, X, y, train, test, weights) for train, test in splits
        )
        for (_, test), told in zip(splits, found, strict=True):
            predicted[test] = told
        tested = np.sort(np.concatenate([test for _, test in splits]))
        kept = None if weights is None else weights[tested]
        value = judge.calibrated if is_calibrated(self._pipeline(chosen)) else judge.plain
        return float(value(y[tested], predicted[tested], kept))

    def _splits(self, X: pd.DataFrame) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Return training and test positions: the development side alone, or folds that keep groups apart."""
        tried_on = development_of(X)
        if tried_on is not None:
            return [(np.flatnonzero(~tried_on), np.flatnonzero(tried_on))]
        return list(ByColumn(self.folds).split(X))

    def _start(self) -> dict[str, Any]:
        """Return the recipe's own values, where the space holds them."""
        found: dict[str, Any] = {}
        for name, values in self.space.items():
            section, option = name.split(".", 1)
            source = (self.recipe.get("params") or {}) if section == "model" else self.recipe
            if name.startswith(FEATURES):
                one, option = option.rsplit(".", 1)
                source = (self.recipe.get("set_params") or {}).get(one, {})
            if option in source and holds(values, source[option]):
                found[name] = source[option]
        return found

    def _planned(self) -> list[dict[str, Any]] | None:
        """Return every combination of the space, the recipe's own first; None where trials are drawn."""
        every = grid(self.space, self.trials)
        start = self._start()
        return every and sorted(every, key=lambda one: any(one[name] != value for name, value in start.items()))

    def _search(
        self, X: pd.DataFrame, y: NDArray[Any], weights: NDArray[np.float64] | None
    ) -> list[optuna.trial.FrozenTrial]:
        """Return the trials of exactly these rows and this search: those made so far, and those that were missing."""
        from ser_experiments.models.trials import storage_of

        name = fit_key(self, X, y, weights)
        splits = self._splits(X)
        planned = self._planned()
        n_trials = self.trials if planned is None else len(planned)
        with storage_of(None if self.folder is None else Path(self.folder) / f"{name}{TRIALS}") as storage:
            study = _study(name, storage)
            while (done := len(_finished(study))) < n_trials:
                # A seed for each trial, so that it does not matter in how many sittings the trials were made.
                study.sampler = _sampler(self.seed + done)
                if planned is not None or done == 0:
                    study.enqueue_trial(fixed(self.space, self._start() if planned is None else planned[done]))
                trial = study.ask()
                start = time.perf_counter()
                chosen = {param: suggest(trial, param, values) for param, values in self.space.items()}
                with doing.part("trial", done + 1, n_trials):
                    score = self._score(chosen, X, y, splits, weights)
                trial.set_user_attr("seconds", round(time.perf_counter() - start, 3))
                trial.set_user_attr("params", chosen)
                study.tell(trial, score)
            return _finished(study)


def _study(name: str, storage: optuna.storages.BaseStorage) -> optuna.Study:
    """Return a study with the trials that are kept of it."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        # Whoever ran it is gone.
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def _fit_and_predict(
    pipeline: BaseEstimator,
    judge: Judge,
    X: pd.DataFrame,
    y: NDArray[Any],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    weights: NDArray[np.float64] | None,
) -> NDArray[Any]:
    if judge.of_classes and len(np.unique(y[train])) == 1:
        # Not every classifier can be fitted on a single class; any that can answers it.
        return np.repeat(y[train][:1], len(test))
    with single_threaded():
        kept = None if weights is None else weights[train]
        found: NDArray[Any] = fit(clone(pipeline), X.iloc[train], y[train], kept).predict(X.iloc[test])
    return found


def _sampler(seed: int) -> optuna.samplers.BaseSampler:
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(n_startup_trials=8, multivariate=True, seed=seed)


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    import optuna

    return study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))


#: What a saved model may hold of this module.
PERSISTED = (Tuned,)
