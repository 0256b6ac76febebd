"""Our torch estimator: a network behind scikit-learn's contract, torch imported when it is needed."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ser_experiments.errors import InputError
from ser_experiments.models.events import EpochEnd, emit
from ser_experiments.models.nets.checks import check_training
from ser_experiments.models.nets.clips import Clips
from ser_experiments.models.nets.holdout import hold_out
from ser_experiments.models.nets.inputs import Rows, rows_to_answer
from ser_experiments.models.nets.learns import Learns
from ser_experiments.models.report import FitReport

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ser_experiments.models.nets.batches import Loader


@dataclass(kw_only=True, eq=False, repr=False)
class TorchEstimator(Learns, BaseEstimator):
    """Fit a network by mini-batches, stop by people it has not heard.

    A family declares its network's parameters as further fields and says how to build it. The dataclass writes the
    ``__init__`` that scikit-learn wants: every parameter by name, stored as it came. What is learned is not said here:
    an estimator of a family is also a :class:`~ser_experiments.models.nets.classes.LearnsClasses` or a
    :class:`~ser_experiments.models.nets.numbers.LearnsNumbers`, named after the family so that its defaults win.

    Parameters
    ----------
    n_epochs : int, default=30
        The most passes over the training rows.
    batch_size : int, default=32
        Rows of a step, about: batches of an epoch are equally large.
    lr : float, default=1e-3
        Learning rate at the start.
    optimizer : {"adamw", "sgd"}, default="adamw"
        The step's rule.
    momentum : float, default=0.9
        Of SGD (Nesterov's); of AdamW its first decay rate.
    weight_decay : float, default=0.01
        Decay of weight matrices.
    schedule : {"cosine", "step", "constant"}, default="cosine"
        The learning rate falls to zero as a half cosine; or to a tenth after each third of `n_epochs`; or not.
    warmup_epochs : float, default=0.0
        Epochs, or a part of one, over which the learning rate rises from zero before that.
    early_stopping : bool, default=True
        Hold rows out of training and find the last epoch whose loss on them is within one standard error of the
        least.
    refit : bool, default=True
        Then train once more on all rows, for as many epochs: a speaker in eight is too many to give away. Without it
        the weights of that epoch are kept.
    validation_fraction : float, default=0.15
        Part of the groups that are held out, at least one; where X has no ``group``, of the rows of each class, or of
        each third of the first number.
    patience : int, default=10
        Epochs that are not as good before training ends.
    device : str, default="auto"
        ``"auto"`` is the GPU where there is one; or a name of torch's.
    mixed_precision : bool, default=True
        Half precision where it is faster, on a GPU only. Answers then depend on the batch they are computed in by some
        1e-4.
    n_threads : int, default=1
        Threads of torch on the CPU, whatever runs beside. The last bits of the weights depend on it.
    random_state : int, RandomState or None, default=None
        Seed of weights, order, crops, masks and held-out rows. Equal seeds give equal weights on a CPU.

    Attributes
    ----------
    n_features_in_ : int
        Columns of a row or frame.
    arrays_ : ndarray of shape (n_arrays,)
        Names of the columns of arrays that stand side by side.
    mean_, scale_ : ndarray of shape (n_features_in_,)
        Of the rows or frames learned from; inputs are centred and divided by them.
    weights_ : dict of str to ndarray
        The network's weights; empty where the truth of the training rows is all the same.
    history_ : list of dict
        ``epoch``, ``lr``, ``train_loss`` and, with held-out rows, ``valid_loss`` and what else they are judged by, of
        each epoch; then ``epoch``, ``refit_lr`` and ``refit_loss`` of those on all rows.
    best_epoch_ : int
        The epoch that the held-out rows chose, counted from 1; without such rows the last.
    """

    n_epochs: int = 30
    batch_size: int = 32
    lr: float = 1e-3
    optimizer: str = "adamw"
    momentum: float = 0.9
    weight_decay: float = 0.01
    schedule: str = "cosine"
    warmup_epochs: float = 0.0
    early_stopping: bool = True
    refit: bool = True
    validation_fraction: float = 0.15
    patience: int = 10
    device: str = "auto"
    mixed_precision: bool = True
    n_threads: int = 1
    random_state: int | np.random.RandomState | None = None

    #: scikit-learn's name for what :meth:`_validate_params` checks; here that checks by itself.
    _parameter_constraints: ClassVar[dict[str, Any]] = {}
    #: Whether a table may hold several columns of arrays, which then stand side by side.
    takes_several: ClassVar[bool] = False
    #: What it is handed of long utterances at a time, where that is not the loader's own; see :class:`Loader`.
    limits: ClassVar[dict[str, int]] = {}

    @abstractmethod
    def _network(self, n_columns: int, n_outputs: int) -> nn.Module:
        """Build the network, its weights drawn from torch's generator."""

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : DataFrame, ndarray of shape (n_rows, n_columns), or sequence of ndarrays of shape (n_frames, n_columns)
            A table of numbers, or one object column of arrays over time. A column ``group`` is read and dropped.
            A row of numbers is an utterance of one frame.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Class labels; or numbers, one or several a row.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows; a row of weight zero is left out.

        Raises
        ------
        InputError
            A parameter is out of range, X holds no single column of arrays, or training diverged.
        """
        self._validate_params()
        rows = self._take_in(X, y, sample_weight)
        self.weights_: dict[str, NDArray[Any]] = {}
        self.history_: list[dict[str, float]] = []
        self.best_epoch_ = 0
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        used = np.flatnonzero(rows.weights)
        learn, stop = used, used[:0]
        strata = self._strata(rows) if self.early_stopping else None
        if strata is not None:
            rng = np.random.default_rng(seed)
            kept = None if rows.groups is None else rows.groups[used]
            wanted = None if rows.tried_on is None else rows.tried_on[used]
            learn, stop = (used[part] for part in hold_out(strata[used], kept, self.validation_fraction, rng, wanted))
        rows = replace(rows, weights=rows.weights / rows.weights[used].mean())
        self._train(rows, learn, stop, seed)
        if len(stop) and self.refit:
            self._train(rows, used, used[:0], seed)
        return self

    def _train(self, rows: Rows, learn: NDArray[np.intp], stop: NDArray[np.intp], seed: int) -> None:
        """Train on some rows and keep what was found; a second time for the epochs that the first found best."""
        clips = rows.clips
        self.mean_, self.scale_ = self._scaling(clips, learn)
        truth = self._truth(rows, learn)
        if truth is None:
            return
        from ser_experiments.models.nets import devices, training
        from ser_experiments.models.nets.batches import Loader

        again = bool(self.history_)
        device = devices.choose_device(self.device)
        with devices.torch_settings(seed, self.n_threads, device):
            network = self._network(clips.n_columns, self._n_outputs).to(device)
            loader = Loader(clips, self.mean_, self.scale_, device, **self.limits)
            self._prepare(network, loader, learn)
            trainer = training.Trainer(
                network,
                loader,
                truth,
                rows.weights,
                how=self,
                n_epochs=self.best_epoch_ if again else self.n_epochs,
                amp_dtype=devices.choose_amp(self.mixed_precision, device),
                seed=seed,
            )
            outcome = trainer.run(learn, stop, partial(self._on_epoch_end, again=again))
        self.weights_ = {name: value.numpy(force=True).copy() for name, value in outcome.state.items()}
        self.best_epoch_ = outcome.best_epoch

    def _scaling(self, clips: Clips, rows: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return what is subtracted from each column, and what it is then divided by."""
        return clips.moments(rows)

    def _prepare(self, network: nn.Module, loader: Loader, rows: NDArray[np.intp]) -> None:
        """Fit what of a new network is not trained; here nothing."""

    def kept(self, network: nn.Module) -> dict[str, Tensor]:
        """Return the weights of a network that a fit keeps."""
        return network.state_dict()

    def _restored(self, state: dict[str, Tensor], n_columns: int) -> nn.Module:
        """Return the network with its weights."""
        import torch

        # They are put in place of those that a new network would draw, which takes longer than to answer.
        with torch.device("meta"):
            network = self._network(n_columns, self._n_outputs)
        network.load_state_dict(state, assign=True)
        return network

    def parameter_groups(self, network: nn.Module) -> list[dict[str, Any]]:
        """Return the parameters in groups with their ``weight_decay`` and, as ``share``, their part of ``lr``."""
        from ser_experiments.models.nets.training import by_decay

        return by_decay(network.parameters(), self.weight_decay)

    def begin_epoch(self, network: nn.Module, epoch: int) -> None:
        """Change what is trained before an epoch, counted from 0; here nothing."""

    @property
    def crop_size(self) -> int | None:
        """Return the frames of a cut in training; None for whole utterances."""
        return None

    def augment(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch in training; here not at all."""
        return x

    @property
    def fit_report_(self) -> FitReport:
        """What each epoch gave, and which one was kept."""
        return FitReport(history=tuple(self.history_), best_epoch=self.best_epoch_)

    def _on_epoch_end(self, numbers: dict[str, float], seconds: float, *, again: bool) -> None:
        names = {"lr": "refit_lr", "train_loss": "refit_loss"} if again else {}
        row = {names.get(name, name): value for name, value in numbers.items()}
        self.history_.append(row)
        metrics = {name: value for name, value in row.items() if name != "epoch"}
        n_epochs = self.best_epoch_ if again else self.n_epochs
        emit(EpochEnd(type(self).__name__, int(row["epoch"]), n_epochs, metrics, seconds))

    def _answers(self, X: Any) -> NDArray[np.float64]:
        """Return what the network says of whole utterances, shape (n_rows, n_outputs); zeros where it is none.

        Raises
        ------
        InputError
            The network's answer to a row is not finite.
        """
        check_is_fitted(self)
        clips = rows_to_answer(self, X)
        if not self.weights_:
            return np.zeros((len(clips), self._n_outputs))
        import torch

        from ser_experiments.models.nets import devices, training
        from ser_experiments.models.nets.batches import Loader

        device = devices.choose_device(self.device)
        with devices.torch_settings(0, self.n_threads, device):
            state = {name: torch.from_numpy(np.array(value)) for name, value in self.weights_.items()}
            network = self._restored(state, clips.n_columns)
            loader = Loader(clips, self.mean_, self.scale_, device, **self.limits)
            amp = devices.choose_amp(self.mixed_precision, device)
            answers = training.score(network.to(device), loader, np.arange(len(clips)), amp, self.read)
        bad = np.flatnonzero(~np.isfinite(answers).all(axis=1))
        if len(bad):
            raise InputError(f"row {bad[0]}: holds NaN, infinite or huge values ({len(bad)} such rows)")
        return answers

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the names of attributes that models were saved with before."""
        super().__setstate__({_RENAMED.get(name, name): value for name, value in state.items()})

    def _validate_params(self) -> None:
        """Refuse what would fail later and deeper; a subclass adds its own."""
        check_training(self)


#: Attributes that had another name in models saved before.
_RENAMED = {"deviation_": "scale_"}


def parameter_names(family: type[TorchEstimator]) -> list[str]:
    """Return the parameters of a family."""
    return [field.name for field in fields(family)]
