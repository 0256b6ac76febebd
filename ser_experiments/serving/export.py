"""A model as a folder of its own: it predicts with the script in it, without a tracking store and without a network."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from ser_experiments import plugins
from ser_experiments.errors import InputError, SerError
from ser_experiments.features.assets import Asset
from ser_experiments.features.extractor import get_extractors
from ser_experiments.serving import described
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.folder import ABOUT, ESTIMATOR, load_folder
from ser_experiments.serving.traced import Traced, installed, sounds, trace
from ser_experiments.serving.weights import ASSETS

#: What of this package a model needs, besides the modules at its top; the other rooms make models.
ROOMS = ("audio", "features", "models", "serving", "tasks")
PACKAGE = Path(__file__).parent.parent
#: What the server needs besides.
_SERVER = ("uvicorn",)
#: What reads more kinds of recordings, where it is installed.
_MORE_AUDIO = ("av",)


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    folder : Path
        Where.
    n_bytes : int
        All files of it together.
    packages : dict of str to str
        What it needs, with versions.
    about : mapping
        What the model says of itself.
    """

    folder: Path
    n_bytes: int
    packages: dict[str, str]
    about: Mapping[str, Any]


def export_model(source: Path, folder: Path, *, onnx: bool = False, container: bool = False) -> Exported:
    """Write a model with all that it needs to a new folder, and let that folder answer once.

    Parameters
    ----------
    source : Path
        The folder of the saved model.
    folder : Path
        Is made; it must not be there, or be empty.
    onnx : bool
        Whether its estimator is written in ONNX too.
    container : bool
        Whether files to build a container of the server are written too.

    Raises
    ------
    InputError
        The model cannot be used, cannot be written in ONNX, or something lies in the folder.
    SerError
        The folder does not predict what the model does. Nothing is left of it.
    """
    model = load_folder(source)
    with _new(folder) as new:
        _put_model(model, source, new / "model")
        _put_code(new)
        if onnx:
            from ser_experiments.serving.onnx import write_onnx

            write_onnx(model, new / "model.onnx")
        traced = _checked(model, new)
        for compiled in list(new.rglob("__pycache__")):
            shutil.rmtree(compiled)
        packages = {**traced.packages, **(installed(*_SERVER) if container else {})}
        pinned = dict(sorted(packages.items(), key=lambda one: one[0].lower()))
        _write(new / "requirements.txt", described.requirements(pinned, installed(*_MORE_AUDIO)))
        _write(new / "README.md", described.card(model, onnx=onnx, container=container))
        _write(new / "NOTICE.md", described.notice(model, pinned))
        if container:
            _write(new / "Dockerfile", described.dockerfile())
            _write(new / ".dockerignore", "**/__pycache__\nDockerfile\n.dockerignore\n")
        n_bytes = sum(one.stat().st_size for one in new.rglob("*") if one.is_file())
    return Exported(folder, n_bytes, pinned, model.meta)


@contextmanager
def _new(folder: Path) -> Iterator[Path]:
    """Give a folder beside that takes the place of the one that is asked for when all is in it."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    if folder.exists() or folder.is_symlink():
        raise InputError(f"{folder}: is there already; name a new folder, or remove it first")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}-", dir=folder.parent))
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror}); name another folder") from error
    try:
        yield new
        # Made for this process alone; what is handed on may be read.
        new.chmod(0o755 & ~_umask())
        os.rename(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _put_model(model: AudioModel, source: Path, place: Path) -> None:
    """Copy the model's own files, and the weights of its encoders by their digest."""
    place.mkdir()
    for name in (ESTIMATOR, ABOUT):
        shutil.copyfile(source / name, place / name)
    for name, params in model.sets:
        for asset in get_extractors(name, **params)[0].measure.needs.assets.values():
            if isinstance(asset, Asset):
                for file, path in asset.files.items():
                    to = place / ASSETS / asset.digest / file
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, to)


def _put_code(new: Path) -> None:
    """Copy what of this package predicts, its licence, the plug-ins of the project, and the script."""
    own = new / PACKAGE.name
    hidden = shutil.ignore_patterns("__pycache__", "*.pyc")
    own.mkdir()
    for file in (*PACKAGE.glob("*.py"), *PACKAGE.glob("*.pyi"), *PACKAGE.glob("py.typed")):
        shutil.copyfile(file, own / file.name)
    for room in ROOMS:
        shutil.copytree(PACKAGE / room, own / room, ignore=hidden, copy_function=shutil.copyfile)
    beside = plugins.folder()
    if beside is not None and os.path.isdir(beside):
        shutil.copytree(beside, new / "plugins", ignore=hidden, copy_function=shutil.copyfile)
    shutil.copyfile(PACKAGE / "serving" / "exported" / "predict.py", new / "predict.py")
    _write(new / "LICENSE", _licence())


def _licence() -> str:
    """Return the text of this package's licence, from where it was installed or from the clone."""
    try:
        told = distribution("ser_experiments").read_text("licenses/LICENSE")
    except PackageNotFoundError:
        told = None
    beside = PACKAGE.parent / "LICENSE"
    if told is None and beside.is_file():
        told = beside.read_text(encoding="utf-8")
    if told is None:
        raise SerError("the licence of ser_experiments is not where it was installed; install it again")
    return told


def _checked(model: AudioModel, new: Path) -> Traced:
    """Let the folder answer sounds, and hold its answers to be those of the model."""
    with tempfile.TemporaryDirectory() as scratch:
        asked = sounds(Path(scratch), 2)
        mode = model.normalization
        enrol = sounds(Path(scratch), max(mode.clips, 2)) if mode.kind != "none" else []
        ready = model.for_speaker(enrol) if enrol else model
        expected = [{"path": str(path), **ready.answer(path)} for path in asked]
        traced = trace(new, asked, enrol)
    if json.loads(json.dumps(expected)) != traced.answers:
        raise SerError("the exported folder answers otherwise than the model; nothing was written")
    return traced


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
