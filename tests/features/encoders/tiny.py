"""Tiny encoders of every family with random weights, as transformers itself saves them, and what it says of a clip."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

RATE = 16_000
LAYERS, WIDTH = 3, 32
#: What makes two passes differ in training.
_TRAINING = {"layerdrop": 0.5, "hidden_dropout": 0.5, "attention_dropout": 0.5, "mask_time_prob": 0.5}
_SIZES = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 4, "intermediate_size": 64}
_CONVOLUTIONS = {"conv_dim": (16,) * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}
_GROUP = {**_SIZES, **_CONVOLUTIONS, **_TRAINING, "vocab_size": 8}
_LAYER = {**_GROUP, "feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
_SAMPLES = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": RATE, "feature_size": 1}
_WHISPER = {
    "d_model": WIDTH,
    "encoder_layers": LAYERS,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_layers": 1,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 64,
    "num_mel_bins": 128,
    "vocab_size": 32,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
    "dropout": 0.5,
}


@dataclass(frozen=True)
class Kind:
    """One kind of checkpoint: the class of transformers without its ending, its configuration, its extractor's."""

    name: str
    config: dict[str, Any]
    preprocessor: dict[str, Any]
    model: str = "Model"
    samples: bool = True

    def build(self, seed: int = 0) -> Any:
        """Return the whole model, in evaluation mode."""
        torch.manual_seed(seed)
        config = getattr(transformers, f"{self.name}Config")(**self.config)
        model = getattr(transformers, f"{self.name}{self.model}")(config)
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(0.05 * torch.randn_like(weight))
        return model.eval()

    def save(self, folder: Path, seed: int = 0, **told: Any) -> Path:
        """Write it as transformers does and return the folder."""
        self.build(seed).save_pretrained(folder, **told)
        (folder / "preprocessor_config.json").write_text(json.dumps(self.preprocessor))
        return folder


def _normalised(normalises: bool) -> dict[str, Any]:
    return {**_SAMPLES, "do_normalize": normalises}


KINDS = {
    "wav2vec2_group": Kind("Wav2Vec2", _GROUP, _normalised(True)),
    "wav2vec2_layer": Kind("Wav2Vec2", _LAYER, _normalised(True)),
    "xls_r_classifier": Kind("Wav2Vec2", _LAYER, _normalised(True), "ForSequenceClassification"),
    "mms_adapter": Kind("Wav2Vec2", {**_LAYER, "add_adapter": True}, _normalised(True), "ForCTC"),
    "wav2vec2_pretraining": Kind(
        "Wav2Vec2", {**_GROUP, "codevector_dim": 16, "proj_codevector_dim": 16}, _normalised(True), "ForPreTraining"
    ),
    "hubert_group": Kind("Hubert", _GROUP, _normalised(False)),
    "hubert_layer_classifier": Kind("Hubert", _LAYER, _normalised(True), "ForSequenceClassification"),
    "wavlm_group": Kind("WavLM", _GROUP, _normalised(False)),
    "wavlm_layer": Kind("WavLM", {**_LAYER, "conv_bias": False}, _normalised(True)),
    "data2vec_ctc": Kind(
        "Data2VecAudio",
        {**_GROUP, "num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 5},
        _normalised(True),
        "ForCTC",
    ),
    "unispeech_sat_group": Kind("UniSpeechSat", _GROUP, _normalised(True)),
    "unispeech_sat_layer": Kind("UniSpeechSat", _LAYER, _normalised(True), "ForSequenceClassification"),
    "wav2vec2_bert_ctc": Kind(
        "Wav2Vec2Bert",
        {**_SIZES, "vocab_size": 8, "layerdrop": 0.5, "hidden_dropout": 0.5, "output_hidden_size": WIDTH},
        {
            "feature_extractor_type": "SeamlessM4TFeatureExtractor",
            "feature_size": 80,
            "num_mel_bins": 80,
            "stride": 2,
            "sampling_rate": RATE,
            "padding_value": 1,
        },
        "ForCTC",
        samples=False,
    ),
    "whisper_whole": Kind(
        "Whisper",
        _WHISPER,
        {
            "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": 128,
            "hop_length": 160,
            "n_fft": 400,
            "chunk_length": 30,
            "sampling_rate": RATE,
        },
        "ForConditionalGeneration",
        samples=False,
    ),
}


def speechlike(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """Return noise whose loudness and colour change, off zero."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    noise = np.cumsum(rng.standard_normal(n)) * 0.02 + rng.standard_normal(n)
    loudness = 0.05 + 0.2 * np.abs(np.sin(np.arange(n) / RATE * 3 + seed))
    return np.asarray(noise * loudness * 0.2 + 0.01, dtype=np.float32)


def reference(kind: Kind, clip: NDArray[np.float32], silence: int = 0) -> list[torch.Tensor]:
    """Return the hidden states of one clip with silence behind it as transformers computes them, the last unnormed."""
    model = kind.build()
    with torch.no_grad():
        inputs = _inputs(kind, clip, silence)
        base = model.model.encoder if kind.name == "Whisper" else getattr(model, model.base_model_prefix, model)
        blocks = base.layers if kind.name == "Whisper" else base.encoder.layers
        if kind.name == "Whisper":
            n_frames = inputs["input_features"].shape[2] // 2
            base.config.max_source_positions = base.max_source_positions = base.embed_positions.num_embeddings = (
                n_frames
            )
            base.embed_positions.weight = torch.nn.Parameter(base.embed_positions.weight[:n_frames])
        last: list[Any] = []
        hook: Callable[..., None] = lambda module, given, output: last.append(output)  # noqa: E731
        blocks[-1].register_forward_hook(hook)
        states = base(**inputs, output_hidden_states=True).hidden_states
    end = last[0][0] if isinstance(last[0], tuple) else last[0]
    return [state[0] for state in states[:LAYERS]] + [end[0] if end.ndim == 3 else end]


def _inputs(kind: Kind, clip: NDArray[np.float32], silence: int) -> dict[str, torch.Tensor]:
    known = {key: value for key, value in kind.preprocessor.items() if not key.endswith("_type")}
    if kind.samples:
        extractor = transformers.Wav2Vec2FeatureExtractor(**known)
        values = extractor(clip, sampling_rate=RATE, return_tensors="np")["input_values"]
        return {"input_values": torch.from_numpy(np.pad(values, ((0, 0), (0, silence))))}
    if kind.name == "Whisper":
        extractor = transformers.WhisperFeatureExtractor(**known)  # type: ignore[assignment]
        padded = np.pad(clip, (0, silence))
        return {"input_features": extractor(padded, sampling_rate=RATE, padding=False, truncation=False,
                                            return_tensors="pt")["input_features"]}  # fmt: skip
    assert not silence
    return dict(transformers.SeamlessM4TFeatureExtractor(**known)(clip, sampling_rate=RATE, return_tensors="pt"))
