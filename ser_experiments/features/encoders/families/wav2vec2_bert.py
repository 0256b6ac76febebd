"""w2v-BERT 2.0 (Seamless Communication, 2023): filter banks of pairs of frames, then conformer blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.encoders.blocks import Blocks
from ser_experiments.features.encoders.family import Family
from ser_experiments.features.measure import Audio

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ser_experiments.features.encoders.upper import Upper

#: The filter banks' frames in samples of 16 kHz, as Kaldi makes them.
_FRAME, _HOP = 400, 160


class Wav2Vec2BertNet:
    """w2v-BERT, ready to listen; see :class:`~ser_experiments.features.encoders.family.Net`."""

    most: int | None = None
    mixes = True

    def __init__(self, network: nn.Module, config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> None:
        from transformers import SeamlessM4TFeatureExtractor

        self._blocks = Blocks(network, network.encoder.layers)  # type: ignore[union-attr,arg-type]
        known = {key: value for key, value in preprocessor.items() if not key.endswith("_type")}
        self._extractor = SeamlessM4TFeatureExtractor(**known)
        self._pair = int(preprocessor.get("stride", 2))
        self.stride = self._pair * _HOP
        self._rate = int(preprocessor.get("sampling_rate", 16_000))
        # Two frames at least: each band is divided by its deviation.
        self.least = _FRAME + 3 * _HOP

    def n_frames(self, n_samples: int) -> int:
        """Return how many frames it gives of so many samples; a frame without its pair gives none."""
        return _n_bands(n_samples) // self._pair

    def ready(self, clip: Audio) -> Audio:
        """Return a recording as it is."""
        return clip

    def states(self, clips: Sequence[Audio], own: Sequence[int], last: int) -> list[torch.Tensor]:
        """Return the hidden states 0 to `last` of a batch."""
        import torch

        bands = [self._bands(clip, n_own) for clip, n_own in zip(clips, own, strict=True)]
        sizes = [len(band) for band in bands]
        longest = max(sizes)
        values = np.zeros((len(bands), longest, bands[0].shape[1]), dtype=np.float32)
        for row, band in zip(values, bands, strict=True):
            row[: len(band)] = band
        within = torch.arange(longest)[None] < torch.tensor(sizes)[:, None]
        inputs = self._blocks.tensor(values)
        return self._blocks.states({"input_features": inputs, "attention_mask": within.long().to(inputs.device)}, last)

    def _bands(self, clip: Audio, n_own: int) -> NDArray[np.float32]:
        """Return pairs of frames side by side, each band by its moments over the frames of the recording alone."""
        found = self._extractor(clip, sampling_rate=self._rate, do_normalize_per_mel_bins=False, return_tensors="np")[
            "input_features"
        ][0]
        frames = np.asarray(found).reshape(-1, found.shape[1] // self._pair)[: _n_bands(len(clip))]
        heard = frames[: _n_bands(n_own)]
        frames = (frames - heard.mean(axis=0)) / np.sqrt(heard.var(axis=0, ddof=1) + 1e-7)
        whole = len(frames) // self._pair * self._pair
        return frames[:whole].reshape(-1, found.shape[1]).astype(np.float32)


def _n_bands(n_samples: int) -> int:
    """Return how many frames the filter banks have of so many samples."""
    return (n_samples - _FRAME) // _HOP + 1


def _build(config: Mapping[str, Any]) -> nn.Module:
    from transformers import Wav2Vec2BertConfig, Wav2Vec2BertModel

    made = Wav2Vec2BertConfig.from_dict(dict(config))
    made.apply_spec_augment = False
    made.add_adapter = False
    network: nn.Module = Wav2Vec2BertModel._from_config(made, attn_implementation="eager")
    if hasattr(network, "masked_spec_embed"):
        del network.masked_spec_embed
    return network


def _upper(network: Any, first: int, last: int) -> Upper:
    from ser_experiments.features.encoders.upper import RelativePlaces

    return RelativePlaces(network.encoder.layers[first:last], network.encoder.embed_positions)


FAMILY = Family(
    model_types=("wav2vec2-bert",),
    build=_build,
    open=Wav2Vec2BertNet,
    sizes=lambda config: (int(config["num_hidden_layers"]), int(config["hidden_size"])),
    prefixes=("wav2vec2_bert.",),
    heads=(r"lm_head\.", r"classifier\.", r"projector\.", r"layer_weights$", r"masked_spec_embed$", r"adapter\."),
    upper=_upper,
)
