"""An encoder on disk: a folder in the Hugging Face layout, read without torch and without running anything in it.

Weights come as safetensors alone. The format is eight bytes that say how long a JSON header is, the header that says
where each tensor lies, and the tensors' bytes: https://github.com/huggingface/safetensors.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ser_experiments import identity
from ser_experiments.errors import InputError
from ser_experiments.features.assets import Asset, state_of
from ser_experiments.features.encoders.family import Family, family_of
from ser_experiments.files import Unreadable, open_regular, parse_json, read_json

CONFIG, PREPROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
INDEX = WEIGHTS + ".index.json"
_PICKLED = {".bin", ".pt", ".pth", ".ckpt", ".msgpack", ".h5"}
#: Keys of a configuration that change no number of a frozen encoder.
_NOTES = {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version", "use_cache"}
#: A header of more is none.
_HEADER_MOST = 100 << 20
_BLOCK = 1 << 24
#: What a configuration may tell; beyond are mistakes.
_RATES, _MOST_LAYERS, _WIDEST = (4_000, 192_000), 1_000, 100_000
_LFS = b"version https://git-lfs"
#: Folders of checkpoints by digest, as they were met.
_SEEN: dict[str, list[str]] = {}


class Tensor(NamedTuple):
    """Where a tensor lies.

    Attributes
    ----------
    file : str
    stored : str
        Its name there.
    dtype : str
        As safetensors writes it, e.g. ``"F16"``.
    shape : tuple of int
    start, end : int
        Its bytes in the file.
    """

    file: str
    stored: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Checkpoint(Asset):
    """A pretrained encoder in a folder.

    It counts by its configurations and by the bytes of the encoder's tensors: a checkpoint that holds a decoder too is
    the same encoder as one that does not.

    Parameters
    ----------
    path : str or Path
        The folder.
    """

    def __post_init__(self) -> None:
        if not Path(self.path).is_dir():
            raise InputError(f"encoder {self.path}: no such folder")

    @property
    def config(self) -> Mapping[str, Any]:
        """Return ``config.json``; an InputError where it cannot be read."""
        return self._read(CONFIG, "it says which network the weights are of")

    @property
    def preprocessor(self) -> Mapping[str, Any]:
        """Return ``preprocessor_config.json``; an InputError where it cannot be read."""
        return self._read(PREPROCESSOR, "it says how audio is prepared; fetch it from where the weights came from")

    @property
    def family(self) -> Family:
        """Return the family it belongs to; an InputError where there is none."""
        return family_of(self.config.get("model_type"), f"encoder {self.path}")

    @property
    def n_layers(self) -> int:
        """Return the number of blocks; there are hidden states 0 to this."""
        return self._sizes()[0]

    @property
    def width(self) -> int:
        """Return the width of a hidden state."""
        return self._sizes()[1]

    @property
    def sample_rate(self) -> int:
        """Return the rate in Hz of the audio that it takes."""
        rate = self.preprocessor.get("sampling_rate", 16_000)
        if not isinstance(rate, int) or not _RATES[0] <= rate <= _RATES[1]:
            raise InputError(f"encoder {self.path}: {PREPROCESSOR}: sampling_rate must be a rate in Hz, got {rate!r}")
        return rate

    @property
    def n_weights(self) -> int:
        """Return how many numbers the encoder holds."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors().values())

    @property
    def n_bytes(self) -> int:
        """Return what the encoder's tensors take on disk."""
        return sum(tensor.end - tensor.start for tensor in self.tensors().values())

    @property
    def files(self) -> dict[str, Path]:
        """Return the files that it is read from, by name."""
        index = Path(self.path) / INDEX
        shards = [index] if index.is_file() and not (Path(self.path) / WEIGHTS).is_file() else []
        found = [Path(self.path) / CONFIG, Path(self.path) / PREPROCESSOR, *shards, *self._weights()]
        return {file.name: file for file in found}

    @property
    def digest(self) -> str:
        """Return the digest of the content, read again only where a file changed its size, time or inode."""
        return _digest(str(self.path), tuple((str(file), *state_of(file)) for file in self.files.values()))

    def tensors(self) -> dict[str, Tensor]:
        """Return where the encoder's tensors lie, by the names that the network has for them.

        Raises
        ------
        InputError
            There are no weights, weights that are pickled, or only a part of them.
        """
        found = {
            name: tensor for file in self._weights() for name, tensor in _header(str(file), *state_of(file)).items()
        }
        family = self.family
        prefix = next((one for one in family.prefixes if any(name.startswith(one) for name in found)), "")
        inside = {name.removeprefix(prefix): one for name, one in found.items() if name.startswith(prefix)}
        heads = [re.compile(pattern) for pattern in family.heads]
        kept = {name: one for name, one in inside.items() if not any(head.match(name) for head in heads)}
        return {family.renamed(name): one for name, one in kept.items()}

    def _weights(self) -> list[Path]:
        folder = Path(self.path)
        if (folder / WEIGHTS).is_file():
            return [folder / WEIGHTS]
        if (folder / INDEX).is_file():
            shards = shards_of(folder)
            for shard in shards:
                if not (folder / shard).is_file():
                    raise InputError(f"encoder {folder}: {shard} is missing, a part of the weights; fetch it again")
            return [folder / shard for shard in shards]
        pickled = next((file.name for file in sorted(folder.iterdir()) if is_pickled(file.name)), None)
        if pickled is not None:
            raise InputError(
                f"encoder {folder}: the weights lie in {pickled} alone, which can run code when it is read; ask for a "
                f"copy with {WEIGHTS}, or, if you trust it, convert it once: transformers' AutoModel.from_pretrained("
                "FOLDER).save_pretrained(NEW_FOLDER)"
            )
        raise InputError(f"encoder {folder}: no {WEIGHTS}; a folder in the Hugging Face layout has one")

    def _sizes(self) -> tuple[int, int]:
        try:
            layers, width = self.family.sizes(self.config)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"encoder {self.path}: {CONFIG} does not say how big the network is ({error})") from error
        if not 1 <= layers <= _MOST_LAYERS or not 1 <= width <= _WIDEST:
            raise InputError(f"encoder {self.path}: {CONFIG} tells of {layers} layers of {width}, which is no network")
        return layers, width

    def _read(self, name: str, why: str) -> dict[str, Any]:
        return _read(Path(self.path), name, why)


def shards_of(folder: Path) -> list[str]:
    """Return the names of the files that weights in parts lie in; an InputError where the index names no files."""
    parts = _read(folder, INDEX, "it says where the weights lie").get("weight_map")
    names = sorted(set(parts.values())) if isinstance(parts, dict) and all(map(_is_text, parts.values())) else []
    outside = next((name for name in names if Path(name).name != name), None)
    if not names or outside is not None:
        told = "names no files" if outside is None else f"names {outside}, which is no file of the folder"
        raise InputError(f"encoder {folder}: {INDEX} {told}")
    return names


def is_pickled(name: str) -> bool:
    """Whether a file of that name holds weights in a format that is not read."""
    return Path(name).suffix in _PICKLED


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _read(folder: Path, name: str, why: str) -> dict[str, Any]:
    file = folder / name
    try:
        return _json(str(file), *state_of(file))
    except FileNotFoundError as error:
        raise InputError(f"encoder {folder}: no {name}; {why}") from error
    except Unreadable as error:
        raise InputError(f"encoder {folder}: {name} {error.reason}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"encoder {folder}: {name} cannot be read ({error})") from error


@lru_cache(maxsize=64)
def _json(file: str, size: int, *state: int) -> dict[str, Any]:
    if size > _HEADER_MOST:
        raise ValueError(f"{size} bytes are no configuration")
    found = read_json(file, most=_HEADER_MOST)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


@lru_cache(maxsize=64)
def _header(file: str, size: int, *state: int) -> dict[str, Tensor]:
    """Return where each tensor of a file lies; an InputError where the file is not whole."""
    with open_regular(file) as stream:
        first = stream.read(8)
        if first == _LFS[:8]:
            raise InputError(f"encoder {file}: a Git LFS pointer instead of the weights; run git lfs pull")
        length = int.from_bytes(first, "little")
        text = stream.read(length) if len(first) == 8 and length <= _HEADER_MOST else b""
    try:
        header = parse_json(text, file)
        begin = 8 + length
        found = {
            name: Tensor(file, name, one["dtype"], tuple(one["shape"]), *(begin + int(i) for i in one["data_offsets"]))
            for name, one in header.items()
            if name != "__metadata__"
        }
    except (Unreadable, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"encoder {file}: no safetensors file, or half a download; fetch it again") from error
    end = max((tensor.end for tensor in found.values()), default=begin)
    if end != size:
        raise InputError(f"encoder {file}: {size} bytes of {end}; half a download, fetch it again")
    return found


@lru_cache(maxsize=64)
def _digest(folder: str, files: tuple[tuple[str, int, int, int, int], ...]) -> str:
    checkpoint = Checkpoint(folder)
    tensors = {
        name: [tensor.dtype, list(tensor.shape), identity.of_bytes(_bytes(tensor))]
        for name, tensor in checkpoint.tensors().items()
    }
    config = {key: value for key, value in checkpoint.config.items() if key not in _NOTES}
    found = identity.of({"config": config, "preprocessor": checkpoint.preprocessor, "tensors": tensors})
    _SEEN.setdefault(found, []).append(folder)
    return found


def seen(digest: str) -> list[str]:
    """Return the folders in which this process has met a checkpoint of that digest, the latest first."""
    return _SEEN.get(digest, [])[::-1]


def _bytes(tensor: Tensor) -> Iterator[bytes]:
    with open_regular(tensor.file) as stream:
        stream.seek(tensor.start)
        left = tensor.end - tensor.start
        while left:
            block = stream.read(min(left, _BLOCK))
            if not block:
                raise InputError(f"encoder {tensor.file}: ends before its tensors do; fetch it again")
            left -= len(block)
            yield block
