"""The training loop and the scoring of whole utterances, in plain torch."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from torch import Tensor, nn

from ser_experiments.errors import InputError
from ser_experiments.models.nets.batches import Loader

if TYPE_CHECKING:
    from ser_experiments.models.nets.estimator import TorchEstimator

OnEpochEnd = Callable[[dict[str, float], float], None]


@dataclass
class Outcome:
    """What training found: the weights of the best epoch, and which that was."""

    state: dict[str, Tensor]
    best_epoch: int = 0


class Trainer:
    """Trains one network on one set of rows.

    Parameters
    ----------
    network : torch.nn.Module
        Takes (n_clips, n_frames, n_columns) and lengths; on the device already.
    loader : Loader
        Gives the batches.
    truth : ndarray of shape (n_rows, ...)
        What the network is to say, as `how` takes it.
    weights : ndarray of shape (n_rows,)
        Of the rows; their mean is one.
    how : TorchEstimator
        Says by its parameters how to train: optimizer, learning rate, batches; and how to change a batch, what the loss
        is and how answers are judged.
    n_epochs : int
        The most passes over the rows.
    amp_dtype : torch.dtype or None
        Number format of mixed precision.
    seed : int
        Of the order of rows, crops and masks.
    """

    def __init__(
        self,
        network: nn.Module,
        loader: Loader,
        truth: NDArray[Any],
        weights: NDArray[np.float64],
        *,
        how: TorchEstimator,
        n_epochs: int,
        amp_dtype: torch.dtype | None,
        seed: int,
    ) -> None:
        self._network, self._loader, self._how = network, loader, how
        self._n_epochs, self._amp_dtype = n_epochs, amp_dtype
        self._truth, self._weights = truth, weights
        self._device = next(network.parameters()).device
        self._targets = torch.from_numpy(truth).to(self._device)
        self._row_weights = torch.from_numpy(weights).float().to(self._device)
        self._generator = torch.Generator().manual_seed(seed)
        self._optimizer = _optimizer(network, how)
        # float16 needs its small gradients scaled up; bfloat16 and float32 do not.
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=amp_dtype is torch.float16)

    def run(self, learn: NDArray[np.intp], stop: NDArray[np.intp], on_epoch_end: OnEpochEnd) -> Outcome:
        """Train, and keep the weights of the last epoch that is as good as the best on the rows to stop by.

        A few dozen utterances of one or two people judge poorly: the epoch with the least loss is an early one by
        luck, and a falling learning rate wants its end. So an epoch counts as good unless it is worse than the best
        by more than one standard error of their paired difference.

        Parameters
        ----------
        learn, stop : ndarray
            Rows to learn from; rows to stop by, which may be none: then the last epoch is kept.
        on_epoch_end : callable
            Told the numbers and the seconds of each epoch.

        Raises
        ------
        InputError
            The loss is no longer finite.
        """
        outcome = Outcome(self._how.kept(self._network))
        best: NDArray[np.float64] | None = None
        for epoch in range(self._n_epochs):
            began = time.perf_counter()
            loss, lr = self._epoch(epoch, torch.from_numpy(learn))
            seconds = time.perf_counter() - began
            if not math.isfinite(loss):
                raise InputError(f"training diverged in epoch {epoch + 1}: lr must be smaller, got {self._how.lr:g}")
            numbers = {"epoch": epoch + 1.0, "lr": lr, "train_loss": loss}
            if not len(stop):
                outcome.best_epoch = epoch + 1
                on_epoch_end(numbers, seconds)
                continue
            answers = score(self._network, self._loader, stop, self._amp_dtype, self._how.read)
            judged, losses = self._how.judge(answers, self._truth[stop], self._weights[stop])
            on_epoch_end(numbers | judged, seconds)
            if best is None or within_one_se(losses, best):
                outcome.best_epoch = epoch + 1
                outcome.state = copy.deepcopy(self._how.kept(self._network))
            elif epoch + 1 - outcome.best_epoch >= self._how.patience:
                break
            if best is None or losses.mean() < best.mean():
                best = losses
        return outcome

    def _epoch(self, epoch: int, rows: Tensor) -> tuple[float, float]:
        """Pass over the rows once; return the mean loss and the last learning rate."""
        how = self._how
        self._network.train()
        how.begin_epoch(self._network, epoch)
        # Summed on the device: reading each loss would wait for each step.
        total = torch.zeros((), device=self._device)
        order = rows[torch.randperm(len(rows), generator=self._generator)]
        # Equal batches, never of one row, of which batch normalisation has no variance.
        n_batches = max(1, min(round(len(rows) / how.batch_size), len(rows) // 2))
        lr = how.lr
        for number, batch in enumerate(torch.tensor_split(order, n_batches)):
            done = epoch + number / n_batches
            lr = how.lr * _factor(how.schedule, done / self._n_epochs)
            if done < how.warmup_epochs:
                lr *= (done + 1 / n_batches) / (how.warmup_epochs + 1 / n_batches)
            for group in self._optimizer.param_groups:
                group["lr"] = lr * group["share"]
            total += self._step(batch) * len(batch)
        return float(total) / len(rows), lr

    def _step(self, batch: Tensor) -> Tensor:
        """Take one step on a batch of rows; return its loss."""
        how = self._how
        x, lengths = self._loader.crops(batch, how.crop_size, self._generator)
        x, batch = how.augment(x, self._generator), batch.to(self._device)
        with torch.autocast(self._device.type, dtype=self._amp_dtype, enabled=self._amp_dtype is not None):
            loss = how.batch_loss(self._network(x, lengths), self._targets[batch], self._row_weights[batch])
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return loss.detach()


def score(
    network: nn.Module,
    loader: Loader,
    rows: NDArray[np.intp],
    amp_dtype: torch.dtype | None,
    read: Callable[[Tensor], Tensor],
) -> NDArray[np.float64]:
    """Return what the network says of whole clips, shape (n_rows, n_outputs).

    `read` tells what its outputs mean, such as log-probabilities; windows of one clip are averaged after that.
    """
    network.eval()
    device = next(network.parameters()).device
    sums: NDArray[np.float64] | None = None
    pieces = np.zeros(len(rows))
    with torch.inference_mode():
        for places, x, lengths in loader.whole(rows):
            with torch.autocast(device.type, dtype=amp_dtype, enabled=amp_dtype is not None):
                outputs = network(x, lengths)
            said = read(outputs.double()).cpu().numpy()
            if sums is None:
                sums = np.zeros((len(rows), said.shape[1]))
            np.add.at(sums, places, said)
            np.add.at(pieces, places, 1.0)
    assert sums is not None
    return sums / pieces[:, None]


def by_decay(parameters: Iterable[nn.Parameter], weight_decay: float, share: float = 1.0) -> list[dict[str, Any]]:
    """Return two groups of parameters, one of matrices and one of vectors, with their part of the learning rate.

    Biases and the scales of normalisation are not decayed: pulling them to zero switches units off.
    """
    held = list(parameters)
    matrices, vectors = [p for p in held if p.ndim > 1], [p for p in held if p.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay, "share": share},
        {"params": vectors, "weight_decay": 0.0, "share": share},
    ]


def _optimizer(network: nn.Module, how: TorchEstimator) -> torch.optim.Optimizer:
    groups = how.parameter_groups(network)
    if how.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=how.lr, momentum=how.momentum, nesterov=how.momentum > 0)
    return torch.optim.AdamW(groups, lr=how.lr, betas=(float(how.momentum), 0.999))


def _factor(schedule: str, progress: float) -> float:
    """Return the learning rate's factor after a part of all epochs."""
    if schedule == "cosine":
        # Loshchilov, Hutter (2017), SGDR: stochastic gradient descent with warm restarts, ICLR; no restart.
        return 0.5 * (1.0 + math.cos(math.pi * progress))
    if schedule == "step":
        return 0.1 ** math.floor(3 * progress)
    return 1.0


def judge(
    logs: NDArray[np.float64], codes: NDArray[Any], weights: NDArray[np.float64]
) -> tuple[dict[str, float], NDArray[np.float64]]:
    """Score probabilities of held-out rows.

    On people it has not heard a network grows overconfident long before it stops to get better: their log loss turns
    up while their recall still rises. At the temperature that suits them best that part of the loss is gone.

    Parameters
    ----------
    logs : ndarray of shape (n_rows, n_classes)
        Log-probabilities.
    codes : ndarray of shape (n_rows,) or (n_rows, n_classes)
        Encoded labels; or each class's share of what raters said.
    weights : ndarray of shape (n_rows,)
        Of the rows.

    Returns
    -------
    numbers : dict
        ``valid_loss``, the weighted log loss; ``valid_calibrated_loss``, the same at the best temperature;
        ``valid_uar``, the mean recall over the classes there are, or that most raters said.
    losses : ndarray of shape (n_rows,)
        What each row adds to the calibrated loss, which is their mean.
    """
    rows, shares = np.arange(len(codes)), weights / weights.mean()

    def losses(log_temperature: float) -> NDArray[np.float64]:
        cooled = log_softmax(logs / math.exp(log_temperature), axis=1)
        return -shares * (cooled[rows, codes] if codes.ndim == 1 else (codes * cooled).sum(axis=1))

    best = minimize_scalar(lambda value: losses(value).mean(), bounds=(-3.0, 5.0), method="bounded").x
    said = codes if codes.ndim == 1 else codes.argmax(axis=1)
    right = logs.argmax(axis=1) == said
    numbers = {
        "valid_loss": float(losses(0.0).mean()),
        "valid_calibrated_loss": float(losses(best).mean()),
        "valid_uar": float(np.mean([right[said == code].mean() for code in np.unique(said)])),
    }
    return numbers, losses(best)


def within_one_se(losses: NDArray[np.float64], best: NDArray[np.float64]) -> bool:
    """Say whether the mean loss exceeds the best by no more than the standard error of the paired difference."""
    difference = losses - best
    return bool(difference.mean() <= difference.std() / math.sqrt(len(difference)))
