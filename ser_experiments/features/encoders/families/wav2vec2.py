"""wav2vec 2.0 and its kin (XLS-R, MMS, HuBERT, WavLM, UniSpeech-SAT, data2vec): convolutions on samples, then blocks.

Baevski et al. (2020), wav2vec 2.0; Hsu et al. (2021), HuBERT; Chen et al. (2022), WavLM; Babu et al. (2021), XLS-R;
Pratap et al. (2023), MMS; Baevski et al. (2022), data2vec. Checkpoints with ``feat_extract_norm = "group"`` normalise
over time, padding included, and data2vec's positions look behind a clip's end: only clips of one length share a batch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_experiments.features.encoders.blocks import Blocks
from ser_experiments.features.encoders.family import Family
from ser_experiments.features.measure import Audio

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ser_experiments.features.encoders.upper import Upper

_CLASSES = {
    "wav2vec2": "Wav2Vec2",
    "hubert": "Hubert",
    "wavlm": "WavLM",
    "unispeech-sat": "UniSpeechSat",
    "data2vec-audio": "Data2VecAudio",
}


class Wav2Vec2Net:
    """A network on samples, ready to listen; see :class:`~ser_experiments.features.encoders.family.Net`."""

    most: int | None = None

    def __init__(self, network: nn.Module, config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> None:
        self._blocks = Blocks(network, network.encoder.layers)  # type: ignore[union-attr,arg-type]
        self._normalises = bool(preprocessor.get("do_normalize", True))
        self._convolutions = list(zip(config["conv_kernel"], config["conv_stride"], strict=True))
        self.stride = prod(step for _, step in self._convolutions)
        self.least = 1
        for kernel, step in reversed(self._convolutions):
            self.least = (self.least - 1) * step + kernel
        self.mixes = config.get("feat_extract_norm") == "layer" and config["model_type"] != "data2vec-audio"

    def n_frames(self, n_samples: int) -> int:
        """Return how many frames it gives of so many samples."""
        for kernel, step in self._convolutions:
            n_samples = (n_samples - kernel) // step + 1
        return n_samples

    def ready(self, clip: Audio) -> Audio:
        """Return a recording at mean 0 and variance 1 where its extractor does so, before what must not count."""
        if not self._normalises:
            return clip
        return np.asarray((clip - clip.mean()) / np.sqrt(clip.var() + 1e-7), dtype=np.float32)

    def states(self, clips: Sequence[Audio], own: Sequence[int], last: int) -> list[torch.Tensor]:
        """Return the hidden states 0 to `last` of a batch."""
        import torch

        sizes = [len(clip) for clip in clips]
        longest = max(sizes)
        values = np.zeros((len(clips), longest), dtype=np.float32)
        for row, clip in zip(values, clips, strict=True):
            row[: len(clip)] = clip
        given: dict[str, torch.Tensor] = {"input_values": self._blocks.tensor(values)}
        if min(sizes) < longest:
            within = torch.arange(longest)[None] < torch.tensor(sizes)[:, None]
            given["attention_mask"] = within.long().to(given["input_values"].device)
        return self._blocks.states(given, last)


def _build(config: Mapping[str, Any]) -> nn.Module:
    import transformers

    name = _CLASSES[config["model_type"]]
    made = getattr(transformers, f"{name}Config").from_dict(dict(config))
    # What is masked in training is not here, and an adapter behind the blocks is none of them.
    made.apply_spec_augment = False
    made.add_adapter = False
    network: nn.Module = getattr(transformers, f"{name}Model")._from_config(made, attn_implementation="eager")
    if hasattr(network, "masked_spec_embed"):
        del network.masked_spec_embed
    return network


def _renamed(name: str) -> str:
    """Return the present name of the two parts of a convolution's weight, which old checkpoints call otherwise."""
    name = re.sub(r"\.weight_g$", ".parametrizations.weight.original0", name)
    return re.sub(r"\.weight_v$", ".parametrizations.weight.original1", name)


def _upper(network: Any, first: int, last: int) -> Upper:
    from ser_experiments.features.encoders.upper import AddedMask, SharedPlaces

    layers = network.encoder.layers
    if network.config.model_type == "wavlm":
        return SharedPlaces(layers[first:last], layers[0].attention)
    return AddedMask(layers[first:last])


def _sizes(config: Mapping[str, Any]) -> tuple[int, int]:
    return int(config["num_hidden_layers"]), int(config["hidden_size"])


FAMILY = Family(
    model_types=tuple(_CLASSES),
    build=_build,
    open=Wav2Vec2Net,
    sizes=_sizes,
    prefixes=("wav2vec2.", "hubert.", "wavlm.", "unispeech_sat.", "data2vec_audio."),
    heads=(
        r"lm_head\.",
        r"classifier\.",
        r"projector\.",
        r"project_(q|hid)\.",
        r"quantizer\.",
        r"dropout_features",
        r"layer_weights$",
        r"masked_spec_embed$",
        r"adapter\.",
        r"label_embeddings_concat$",
        r"speaker_proj\.",
    ),
    renamed=_renamed,
    upper=_upper,
)
