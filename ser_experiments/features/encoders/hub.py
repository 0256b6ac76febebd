"""Where the weights of an encoder lie: a folder, or what was fetched from the hub, pinned to a commit."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ser_experiments.errors import InputError
from ser_experiments.features.assets import AssetAway
from ser_experiments.features.encoders.checkpoint import CONFIG, INDEX, PREPROCESSOR, WEIGHTS

#: What is fetched of a repository: configurations and safetensors, and nothing that could run.
FILES = (CONFIG, PREPROCESSOR, WEIGHTS, INDEX, "model-*.safetensors")
_ID = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")


def found(model: str) -> tuple[str, Path]:
    """Return what pins an encoder and the folder that it lies in on this machine; nothing is fetched.

    Parameters
    ----------
    model : str
        A folder, or an id of the hub, perhaps with ``@`` and a revision.

    Returns
    -------
    str
        The folder, or the id with the commit.
    Path
        The folder.

    Raises
    ------
    InputError
        There is no such folder, or the id was not fetched yet.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return str(folder.resolve()), folder.resolve()
    name, revision = parse(model)
    snapshot = _snapshot(name, revision)
    if snapshot is None:
        raise NotFetched(model)
    return f"{name}@{snapshot.name}", snapshot


class NotFetched(AssetAway):
    """An encoder of the hub that is not on this machine yet."""

    def __init__(self, model: str) -> None:
        super().__init__(f"encoder {model}: not on this machine; say ser encoders pull {model}")
        self.model = model

    def __reduce__(self) -> tuple[type[NotFetched], tuple[str]]:
        return type(self), (self.model,)


def parse(model: str) -> tuple[str, str | None]:
    """Return the id and the revision; an InputError where it is neither an id nor a folder."""
    match = _ID.fullmatch(model) if isinstance(model, str) else None
    if not match or str(model).startswith((".", "/", "~")):
        raise InputError(f"encoder {model}: no such folder, and no id of the hub such as openai/whisper-base")
    return match["id"], match["revision"]


def _snapshot(name: str, revision: str | None) -> Path | None:
    """Return the folder of a revision in the hub's cache; its library takes longer to import than this to read."""
    base = cache_folder() / f"models--{name.replace('/', '--')}"
    ref = base / "refs" / (revision or "main")
    commit = ref.read_text(encoding="utf-8").strip() if ref.is_file() else revision or "main"
    folder = base / "snapshots" / commit
    return folder if (folder / CONFIG).exists() else None


def cache_folder() -> Path:
    """Return where the hub's library keeps what it fetched, for every program of a user."""
    if found := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(found).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface"
    return Path(home).expanduser() / "hub"
