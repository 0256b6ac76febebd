"""What an exported folder says of itself: its card, what it needs, whose work is in it, and how a container is made."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import metadata
from pathlib import Path

from ser_experiments.features.assets import Asset
from ser_experiments.features.encoders.catalogue import catalogue
from ser_experiments.features.extractor import get_extractors
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.weights import ASSETS

#: Files beside weights that say whose they are.
_NOTICES = ("LICEN", "NOTICE", "COPYING", "README")
_PORT = 8080


def requirements(packages: Mapping[str, str], more: Mapping[str, str]) -> str:
    """Return the text of ``requirements.txt``.

    Parameters
    ----------
    packages : mapping of str to str
        What is needed, with versions.
    more : mapping of str to str
        What reads more kinds of recordings.
    """
    lines = [
        f"# Python {sys.version_info.major}.{sys.version_info.minor}; what predict.py used when this was exported."
    ]
    lines += [f"{name}=={version}" for name, version in packages.items()]
    lines += [
        f"# For m4a, webm and others: {name}=={version}" for name, version in more.items() if name not in packages
    ]
    return "\n".join(lines) + "\n"


def card(model: AudioModel, *, onnx: bool, container: bool) -> str:
    """Return the text of ``README.md``: what the model is, what it was tested on, and how it is used."""
    about = model.meta
    score = about.get(model.task.primary)
    lines = [
        f"# {about['experiment']}",
        "",
        "Hears the emotion of recorded speech. It knows nothing but what it learned: of noise or music it answers too,",
        "with a warning beside it. Do not decide about people by what it says.",
        "",
        f"- Answers: {', '.join(model.task.targets)} ({model.task.kind})",
        f"- Trained and tested on: {about['setting']}",
        *([f"- Tested on people that it had not heard: {model.task.primary} {score:.3f}"] if score is not None else []),
        f"- Measures: {', '.join(name for name, _ in model.sets)}",
        *_learned(about.get("training", {})),
        *(
            f"- Of the speaker it asks for recordings: `--enrol` ({model.normalization})"
            for _ in range(model.normalization.kind != "none")
        ),
        *(f"- Note: {note}" for note in about.get("notes", [])),
        "",
        "## Use",
        "",
        "```",
        f"python{sys.version_info.major}.{sys.version_info.minor} -m venv env",
        "env/bin/pip install -r requirements.txt",
        "env/bin/python predict.py call.wav",
        "```",
        "",
        "It prints one JSON object a recording, asks no network and no tracking store. In Python:",
        "",
        "```python",
        "from pathlib import Path",
        "from ser_experiments.serving import load_folder",
        "",
        'model = load_folder(Path("model"))',
        'for answer in model.predict(["call.wav"]):',
        "    print(answer)",
        "```",
        *(_CONTAINER if container else ()),
        *(_ONNX if onnx else ()),
        "",
        "Licences: LICENSE (this code), NOTICE.md (what it stands on).",
    ]
    return "\n".join(lines) + "\n"


_CONTAINER = (
    "",
    "## As a server",
    "",
    "```",
    "docker build -t emotion .",
    f"docker run --rm --read-only --tmpfs /tmp -p 127.0.0.1:{_PORT}:{_PORT} emotion",
    f"curl -s http://127.0.0.1:{_PORT}/health",
    'docker run --rm --network none -v "$PWD:/data:ro" --entrypoint python emotion predict.py /data/call.wav',
    "```",
)
_ONNX = (
    "",
    "## In ONNX",
    "",
    "`model.onnx` is the estimator alone: from the columns of the feature table (`features`, float32, shape",
    "(n_rows, n_columns), NaN where a value is missing) to the answer (`values`, float64, shape (n_rows, n_targets)).",
    "Their names stand in its metadata as `columns` and `targets`, JSON lists. Measuring a recording is not in it.",
)


def _learned(training: Mapping[str, object]) -> Iterator[str]:
    said = {"duration_s": ("length", "s"), "rms_db": ("level", "dB")}
    for name, (word, unit) in said.items():
        ends = training.get(name)
        if isinstance(ends, list):
            yield f"- Learned from recordings of {word} {ends[0]:.1f} to {ends[1]:.1f} {unit}"
    if "sample_rate" in training:
        yield f"- Learned from recordings of {training['sample_rate']} Hz or more"


def notice(model: AudioModel, packages: Mapping[str, str]) -> str:
    """Return the text of ``NOTICE.md``: the licences of weights, and of the packages that are needed."""
    lines = ["# Whose work this stands on", ""]
    weights = list(_weights(model))
    if weights:
        lines += ["## Weights in `model/assets/`", "", *weights, ""]
    lines += [
        "## Packages that `requirements.txt` names; they are not in this folder",
        "",
        "| package | licence |",
        "|---|---|",
    ]
    lines += [f"| {name} {version} | {_licence_of(name)} |" for name, version in packages.items()]
    return "\n".join(lines) + "\n"


def _weights(model: AudioModel) -> Iterator[str]:
    for name, params in model.sets:
        for label, asset in get_extractors(name, **params)[0].measure.needs.assets.items():
            if not isinstance(asset, Asset):
                continue
            called = str(dict(params).get("name") or dict(params).get("model") or label)
            known = catalogue().get(called.partition("@")[0])
            beside = [file for file in asset.files if Path(file).name.upper().startswith(_NOTICES)]
            told = known.licence if known else "not known to this program; ask where they came from"
            if beside:
                told += f"; see {', '.join(f'{ASSETS}/{asset.digest}/{file}' for file in beside)}"
            yield f"- {called if known else label} of the set `{name}` (`{asset.digest}`): {told}"


def _licence_of(package: str) -> str:
    told = metadata(package)
    words = told.get_all("License-Expression")
    if words:
        return str(words[0])
    classes = [one.rpartition(" :: ")[2] for one in told.get_all("Classifier", []) if one.startswith("License ::")]
    return "; ".join(classes) or [*(told.get_all("License") or []), "see the package"][0].splitlines()[0][:80]


def dockerfile() -> str:
    """Return the text of a ``Dockerfile`` of the server; only its build asks a network."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"""\
# The model over HTTP. Building asks for the base image and the packages; running asks no network.
FROM python:{version}-slim
ENV PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/app/.numba
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
# Answers once, so that everything is compiled; then nothing is written any more.
RUN SER_SERVED_MODEL=model python -c "import ser_experiments.serving.http.loaded as l; l.model('model')" \\
    && useradd --system --no-create-home served
USER served
EXPOSE {_PORT}
HEALTHCHECK --start-period=60s CMD ["python", "-c", \\
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:{_PORT}/health', timeout=3)"]
# Behind a proxy, `--allowed-hosts NAME` says by which names clients call it, besides addresses and localhost.
ENTRYPOINT ["python", "-m", "ser_experiments.serving.http", "--host", "0.0.0.0", "--port", "{_PORT}", "model"]
"""
