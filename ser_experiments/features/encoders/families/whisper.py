"""Whisper's encoder (Radford et al., 2022, Robust speech recognition via large-scale weak supervision).

It was trained on 30 s of audio, silence behind speech. Here a clip is heard at its own length: mel frames of the clip,
positions from 0. In a batch, what lies behind a clip is zero wherever a convolution looks at it and is attended to by
nobody, so that its numbers are those of the clip alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_experiments.features.encoders.family import Family
from ser_experiments.features.measure import Audio

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ser_experiments.features.encoders.upper import Upper


class WhisperNet:
    """Whisper's encoder, ready to listen; see :class:`~ser_experiments.features.encoders.family.Net`."""

    mixes = True

    def __init__(self, network: Any, config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> None:
        import torch
        from transformers.audio_utils import mel_filter_bank

        self.network = network
        self._n_fft, self._hop = int(preprocessor.get("n_fft", 400)), int(preprocessor.get("hop_length", 160))
        rate = int(preprocessor.get("sampling_rate", 16_000))
        self._n_mels = int(config["num_mel_bins"])
        self.stride = 2 * self._hop
        # The window of the spectrum is mirrored at both ends.
        self.least = max(self._n_fft, 2 * self.stride)
        self.most: int | None = int(config["max_source_positions"]) * self.stride
        device = self.network.conv1.weight.device
        bank = mel_filter_bank(1 + self._n_fft // 2, self._n_mels, 0.0, 8000.0, rate, norm="slaney", mel_scale="slaney")
        self._bank = torch.from_numpy(bank.astype(np.float32)).to(device).T
        self._window = torch.hann_window(self._n_fft, device=device)

    def n_frames(self, n_samples: int) -> int:
        """Return how many frames it gives of so many samples."""
        return -(-(n_samples // self._hop) // 2)

    def log_mels(self, clips: Sequence[Audio]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return spectrograms as Whisper's own feature extractor makes them, and their frames.

        Of shape (n_clips, n_mels, n_frames), zero behind what is a clip's own.
        """
        import torch

        half = self._n_fft // 2
        samples = np.zeros((len(clips), max(map(len, clips)) + 2 * half), dtype=np.float32)
        for row, clip in zip(samples, clips, strict=True):
            row[: len(clip) + 2 * half] = np.pad(clip, half, mode="reflect")
        heard = torch.from_numpy(samples).to(self._bank.device)
        sizes = torch.tensor([len(clip) // self._hop for clip in clips], device=heard.device)
        spectra = torch.stft(heard, self._n_fft, self._hop, window=self._window, center=False, return_complex=True)
        bands = self._bank @ (spectra[..., : int(sizes.max())].abs() ** 2)
        logs = bands.clamp(min=1e-10).log10()
        behind = ~_within(sizes, logs.shape[2])[:, None]
        most = logs.masked_fill(behind, -torch.inf).amax((1, 2), keepdim=True)
        return ((torch.maximum(logs, most - 8.0) + 4.0) / 4.0).masked_fill(behind, 0.0), sizes

    def ready(self, clip: Audio) -> Audio:
        """Return a recording as it is."""
        return clip

    def states(self, clips: Sequence[Audio], own: Sequence[int], last: int) -> list[torch.Tensor]:
        """Return the hidden states 0 to `last` of a batch."""
        import torch

        network = self.network
        x, sizes = self.log_mels(clips)
        mixed = len({len(clip) // self._hop for clip in clips}) > 1
        x = torch.nn.functional.gelu(network.conv1(x.to(network.conv1.weight.dtype)))
        mask = None
        if mixed:
            x = x * _within(sizes, x.shape[2])[:, None]
            mask = _within((sizes + 1) // 2, (x.shape[2] + 1) // 2)[:, None, None]
        x = torch.nn.functional.gelu(network.conv2(x)).transpose(1, 2)
        x = x + network.embed_positions.weight[: x.shape[1]]
        states = [x]
        for block in network.layers[:last]:
            x = block(x, mask)
            x = x if isinstance(x, torch.Tensor) else x[0]
            states.append(x)
        return states


def _within(sizes: torch.Tensor, most: int) -> torch.Tensor:
    """Return which of `most` places are filled, shape (n_clips, most)."""
    import torch

    return torch.arange(most, device=sizes.device) < sizes[:, None]


def _build(config: Mapping[str, Any]) -> nn.Module:
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    network: nn.Module = WhisperEncoder._from_config(WhisperConfig.from_dict(dict(config)), attn_implementation="sdpa")
    return network


def _upper(network: Any, first: int, last: int) -> Upper:
    from ser_experiments.features.encoders.upper import Upper

    return Upper(network.layers[first:last])


FAMILY = Family(
    model_types=("whisper",),
    build=_build,
    open=WhisperNet,
    sizes=lambda config: (int(config["encoder_layers"]), int(config["d_model"])),
    prefixes=("model.encoder.", "encoder."),
    upper=_upper,
)
