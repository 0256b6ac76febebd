"""Tiny encoders with random weights in the Hugging Face layout, written without torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

#: What the tiny Whisper is.
N_LAYERS, WIDTH, N_MELS = 3, 16, 8
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def tiny_whisper(folder: Path, *, seed: int = 0, prefix: str = "encoder.", dtype: str = "float16") -> Path:
    """Write the encoder of a tiny Whisper and return its folder."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    shapes = {
        "conv1.weight": (WIDTH, N_MELS, 3),
        "conv1.bias": (WIDTH,),
        "conv2.weight": (WIDTH, WIDTH, 3),
        "conv2.bias": (WIDTH,),
        "embed_positions.weight": (1500, WIDTH),
        "layer_norm.weight": (WIDTH,),
        "layer_norm.bias": (WIDTH,),
    }
    for layer in range(N_LAYERS):
        block = f"layers.{layer}."
        for name in ("q_proj", "v_proj", "out_proj", "k_proj"):
            shapes[f"{block}self_attn.{name}.weight"] = (WIDTH, WIDTH)
            if name != "k_proj":
                shapes[f"{block}self_attn.{name}.bias"] = (WIDTH,)
        shapes |= {f"{block}fc1.weight": (2 * WIDTH, WIDTH), f"{block}fc1.bias": (2 * WIDTH,)}
        shapes |= {f"{block}fc2.weight": (WIDTH, 2 * WIDTH), f"{block}fc2.bias": (WIDTH,)}
        for norm in ("self_attn_layer_norm", "final_layer_norm"):
            shapes |= {f"{block}{norm}.weight": (WIDTH,), f"{block}{norm}.bias": (WIDTH,)}
    weights = {}
    for name, shape in shapes.items():
        drawn = rng.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[1:])))
        weights[prefix + name] = (drawn + ("norm.weight" in name)).astype(dtype)
    save_file(weights, folder / "model.safetensors")
    config = {
        "model_type": "whisper",
        "d_model": WIDTH,
        "encoder_layers": N_LAYERS,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": 2 * WIDTH,
        "decoder_layers": 1,
        "decoder_attention_heads": 2,
        "decoder_ffn_dim": 2 * WIDTH,
        "num_mel_bins": N_MELS,
        "max_source_positions": 1500,
        "vocab_size": 32,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "decoder_start_token_id": 1,
    }
    preprocessor = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": N_MELS,
        "hop_length": 160,
        "n_fft": 400,
        "chunk_length": 30,
        "sampling_rate": 16000,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder


def as_fetched(cache: Path, name: str) -> Path:
    """Write a tiny Whisper where the hub's cache would hold the encoder of that id, and return its folder."""
    base = cache / f"models--{name.replace('/', '--')}"
    (base / "refs").mkdir(parents=True, exist_ok=True)
    (base / "refs" / "main").write_text(COMMIT)
    return tiny_whisper(base / "snapshots" / COMMIT)


def plain_encoder(project: Path) -> str:
    """Write an experiment on an encoder without a search, which two speakers are enough for; return its name."""
    text = 'description = "Plain"\n[features]\nsets = ["encoder"]\n[model]\ntype = "logreg"\n'
    (project / "experiments" / "plain_encoder.toml").write_text(text)
    return "plain_encoder"
