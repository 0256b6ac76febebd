"""The upper blocks of an encoder by themselves give what they give inside it, for every family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ser_experiments.features.encoders.family import Family, family_of

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.slow

WAVES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8, 8),
    "conv_kernel": (10, 8),
    "conv_stride": (5, 64),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "feat_extract_norm": "layer",
}
BERT: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "feature_projection_input_dim": 160,
}
WHISPER: dict[str, Any] = {
    "d_model": 16,
    "encoder_layers": 3,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "num_mel_bins": 8,
}
STABLE = {"do_stable_layer_norm": True}
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "whisper": ("Whisper", "whisper", WHISPER),
    "wav2vec2": ("Wav2Vec2", "wav2vec2", WAVES),
    "wav2vec2-stable": ("Wav2Vec2", "wav2vec2", WAVES | STABLE),
    "hubert": ("Hubert", "hubert", WAVES),
    "hubert-stable": ("Hubert", "hubert", WAVES | STABLE),
    "wavlm": ("WavLM", "wavlm", WAVES),
    "wavlm-stable": ("WavLM", "wavlm", WAVES | STABLE),
    "unispeech-sat": ("UniSpeechSat", "unispeech-sat", WAVES),
    "data2vec": ("Data2VecAudio", "data2vec-audio", {k: v for k, v in WAVES.items() if k != "feat_extract_norm"}),
    "w2v-bert": ("Wav2Vec2Bert", "wav2vec2-bert", BERT),
    "w2v-bert-relative": ("Wav2Vec2Bert", "wav2vec2-bert", BERT | {"position_embeddings_type": "relative"}),
    "w2v-bert-rotary": ("Wav2Vec2Bert", "wav2vec2-bert", BERT | {"position_embeddings_type": "rotary"}),
}
PREPROCESSORS = {"whisper": {"n_fft": 400, "hop_length": 160}, "wav2vec2-bert": {"stride": 2, "num_mel_bins": 80}}


def tiny(name: str) -> tuple[Family, Any, Callable[[list[NDArray[np.float32]], int], list[Any]]]:
    """Return a family, a random network of it and what gives its hidden states."""
    prefix, model_type, sizes = CASES[name]
    torch.manual_seed(0)
    config = getattr(transformers, f"{prefix}Config")(**sizes).to_dict()
    family = family_of(model_type, name)
    network = family.build(config).eval()
    # Random weights of the usual size hardly look at their neighbours, so that a wrong mask would not be seen.
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.mul_(8)
    net = family.open(network, config, PREPROCESSORS.get(model_type, {}))

    def states(audio: list[NDArray[np.float32]], last: int) -> list[Any]:
        return net.states([net.ready(one) for one in audio], [len(one) for one in audio], last)

    return family, network, states


def clips(*seconds: float) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=round(16_000 * one)).astype(np.float32) for one in seconds]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("first", [0, 1])
def test_blocks_give_what_they_give_inside(name: str, first: int) -> None:
    family, network, states = tiny(name)
    assert family.upper is not None
    with torch.inference_mode():
        found = states(clips(0.6), 3)
        upper = family.upper(network, first, 3)
        alone = upper(found[first], None)
    assert len(upper.blocks) == 3 - first
    assert float((alone - found[3]).abs().max()) < 1e-4 * float(found[3].abs().max())
    assert float((found[3] - found[first]).abs().max()) > 1e-2


@pytest.mark.parametrize("name", CASES)
def test_padding_counts_for_nobody(name: str) -> None:
    """Whatever stands behind a clip's frames, its own states are those of the clip alone."""
    family, network, states = tiny(name)
    assert family.upper is not None
    with torch.inference_mode():
        short, long = (states(clips(one), 3) for one in (0.4, 0.9))
        n_short, n_long = short[1].shape[1], long[1].shape[1]
        x = torch.full((2, n_long, 16), 7.0)
        x[0, :n_short], x[1] = short[1][0], long[1][0]
        within = torch.arange(n_long) < torch.tensor([n_short, n_long])[:, None]
        together = family.upper(network, 1, 3)(x, within)
    for row, alone in enumerate((short[3][0], long[3][0])):
        assert float((together[row, : len(alone)] - alone).abs().max()) < 1e-4 * float(alone.abs().max())


@pytest.mark.parametrize("name", CASES)
def test_blocks_can_be_trained(name: str) -> None:
    family, network, states = tiny(name)
    assert family.upper is not None
    network.requires_grad_(requires_grad=False)
    with torch.no_grad():
        below = states(clips(0.6), 1)[1]
    upper = family.upper(network, 1, 3)
    upper.blocks.requires_grad_(requires_grad=True)
    upper(below, torch.ones(below.shape[:2], dtype=torch.bool)).square().mean().backward()
    assert all(one.grad is not None for n, one in upper.blocks.named_parameters() if "proj" in n and "weight" in n)
    assert all(one.grad is None for n, one in network.named_parameters() if "layers.0." in n)
