"""Compare the training loop of our torch estimator with a bare torch loop that does the same work.

Both train the same network on the same batches, cuts and masks on one thread. They take turns, epoch by epoch, and
the best epoch of each counts, so that whatever else runs on the machine hits both. On a GPU both hold the clips there
and compute in float32. Ends with exit code 1 if ours reaches less than 95 % of the bare loop's throughput.

Run as ``python benchmarks/bench_torch.py [ROUNDS [DEVICE]]``; the device is ``cpu`` unless it is named.
"""

from __future__ import annotations

import argparse
import queue
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from ser_experiments.models.events import EpochEnd, observing
from ser_experiments.models.nets.cnn import SmallCNN
from ser_experiments.models.zoo.cnn import CNNClassifier

N_CLIPS, N_BANDS, N_CLASSES = 384, 64, 6
BATCH, CROP, LR = 32, 128, 1e-3
TARGET = 0.95


def clips() -> tuple[list[np.ndarray], np.ndarray]:
    """Return noise of the shape of a small corpus: 1 to 4 s of 64 bands."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(rng.integers(130, 400), N_BANDS)).astype(np.float16) for _ in range(N_CLIPS)]
    return arrays, np.arange(N_CLIPS) % N_CLASSES


class BareLoop:
    """What one writes by hand: cut, stack, mask, forward, backward, step."""

    def __init__(self, arrays: list[np.ndarray], codes: np.ndarray, classifier: CNNClassifier) -> None:
        frames = np.concatenate(arrays).astype(np.float32)
        device = classifier.device
        self.mean = torch.from_numpy(frames.mean(axis=0)).to(device)
        self.scale = torch.from_numpy(frames.std(axis=0)).to(device)
        self.clips = [torch.from_numpy(array).to(device) for array in arrays]
        self.codes = torch.from_numpy(codes).to(device)
        self.network = SmallCNN(N_BANDS, N_CLASSES, widths=classifier.widths, dropout=classifier.dropout).to(device)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=LR)
        self.settings = classifier

    def epoch(self) -> float:
        """Pass over the clips once; return the seconds it took."""
        began = time.perf_counter()
        self.network.train()
        total = 0.0
        order = torch.randperm(len(self.clips))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            x = torch.stack([self._cut(self.clips[i]) for i in rows.tolist()]).float()
            x = (x - self.mean) / self.scale
            self._mask(x, 1, self.settings.time_masks, self.settings.time_mask_frames)
            self._mask(x, 2, self.settings.column_masks, self.settings.column_mask_width)
            loss = nn.functional.cross_entropy(self.network(x, None), self.codes[rows.to(x.device)])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return time.perf_counter() - began

    @staticmethod
    def _cut(clip: torch.Tensor) -> torch.Tensor:
        start = int(torch.randint(len(clip) - CROP + 1, ()))
        return clip[start : start + CROP]

    @staticmethod
    def _mask(x: torch.Tensor, axis: int, count: int, width: int) -> None:
        for clip in x:
            for _ in range(count):
                size = int(torch.randint(width + 1, ()))
                start = int(torch.randint(clip.shape[axis - 1] - size + 1, ()))
                clip.narrow(axis - 1, start, size).zero_()


def ours(classifier: CNNClassifier, data: tuple[list[np.ndarray], np.ndarray]) -> Callable[[], float]:
    """Return a function that lets the estimator's fit run for one more epoch and returns its seconds."""
    go: queue.Queue[None] = queue.Queue()
    done: queue.Queue[float] = queue.Queue()

    def pause(event: EpochEnd) -> None:
        done.put(event.train_s)
        go.get()

    def fit() -> None:
        go.get()
        with observing(pause):
            classifier.fit(*data)

    threading.Thread(target=fit, daemon=True).start()

    def epoch() -> float:
        go.put(None)
        return done.get()

    return epoch


def main() -> int:
    """Print both throughputs and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", nargs="?", type=int, default=8, help="epochs of each, 8 by default")
    parser.add_argument("device", nargs="?", default="cpu", help="of torch, cpu by default")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    data = clips()
    classifier = CNNClassifier(
        n_epochs=asked.rounds + 1,
        lr=LR,
        batch_size=BATCH,
        crop_frames=CROP,
        early_stopping=False,
        device=asked.device,
        mixed_precision=False,
        random_state=0,
    )
    turns = {"bare loop": BareLoop(*data, classifier).epoch, "estimator": ours(classifier, data)}
    seconds: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(asked.rounds):
        for name, epoch in turns.items():
            seconds[name].append(epoch())
    best = {name: min(times) for name, times in seconds.items()}
    for name, value in best.items():
        print(f"{name}: {N_CLIPS / value:.0f} clips/s ({1000 * value / N_CLIPS:.2f} ms a clip, best of {asked.rounds})")
    ratio = best["bare loop"] / best["estimator"]
    print(f"estimator / bare loop: {ratio:.3f} (at least {TARGET})")
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
