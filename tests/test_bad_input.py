"""Everything a user can hand in: each row states what must come, the result or one line and an exit code.

What each reader does in detail is tested beside it; here everything goes through the command, as a user meets it.
"""

from __future__ import annotations

import base64
import json
import math
import shutil
import string
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ser_experiments.cli import ser
from ser_experiments.errors import InputError, SerError
from ser_experiments.experiment.definition import load_experiment
from ser_experiments.experiment.estimator import build_estimator, features_of
from ser_experiments.features.extractor import get_extractor
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.serving import AudioModel, save_model
from ser_experiments.serving import pyfunc as serving
from ser_experiments.serving.bounds import MAX_BYTES
from tests.command import program
from tests.iemocap_tree import small_tree

RATE = 16_000
SHIPPED = Path(__file__).parents[1] / "experiments"


class Outcome:
    """What a command gave: its code, its one line, and what it printed."""

    def __init__(self, *arguments: str) -> None:
        result = CliRunner().invoke(ser, list(arguments))
        self.stdout = result.stdout
        self.lines = result.stderr.splitlines()
        error = result.exception
        if isinstance(error, SerError):
            self.code, self.message = error.exit_code, str(error)
        elif isinstance(error, click.ClickException):
            self.code, self.message = error.exit_code, error.format_message()
        elif error is None or isinstance(error, SystemExit):
            self.code, self.message = result.exit_code, ""
        else:
            raise error  # what a user would see as a traceback
        assert "\n" not in self.message, self.message


def voice(seconds: float = 1.0, rate: int = RATE, channels: int = 1) -> np.ndarray:
    """Return a gliding buzz with noise."""
    rng = np.random.default_rng(0)
    time = np.arange(max(1, int(seconds * rate))) / rate
    sound = 0.2 * np.sign(np.sin(2 * np.pi * (120 * time + 20 * time**2))) + 0.01 * rng.standard_normal(len(time))
    return np.repeat(sound[:, None], channels, axis=1) if channels > 1 else sound


def written(
    subtype: str = "PCM_16", rate: int = RATE, channels: int = 1, seconds: float = 1.0
) -> Callable[[Path], object]:
    return lambda path: soundfile.write(path, voice(seconds, rate, channels), rate, subtype=subtype)


def samples(values: np.ndarray, subtype: str = "FLOAT") -> Callable[[Path], object]:
    return lambda path: soundfile.write(path, values, RATE, subtype=subtype)


def with_nan(value: float) -> np.ndarray:
    sound = voice()
    sound[500] = value
    return sound


def truncated(path: Path) -> None:
    written()(path)
    path.write_bytes(path.read_bytes()[:20_000])


def header_only(path: Path) -> None:
    written()(path)
    path.write_bytes(path.read_bytes()[:44])


def linked(path: Path) -> None:
    written()(path.with_name("elsewhere.wav"))
    path.symlink_to(path.with_name("elsewhere.wav"))


# --- recordings --------------------------------------------------------------------------------------------------

#: Name, how it is made, and None for an answer or the words of the refusal.
RECORDINGS: list[tuple[str, Callable[[Path], object], str | None]] = [
    ("plain.wav", written(), None),
    ("with spaces and ümläuts 語.wav", written(), None),
    ("8k.wav", written(rate=8000), None),
    ("11k.wav", written(rate=11_025), None),
    ("44k.wav", written(rate=44_100), None),
    ("48k.wav", written(rate=48_000), None),
    ("96k.wav", written(rate=96_000), None),
    ("8bit.wav", written("PCM_U8"), None),
    ("24bit.wav", written("PCM_24"), None),
    ("32bit.wav", written("PCM_32"), None),
    ("float.wav", written("FLOAT"), None),
    ("double.wav", written("DOUBLE"), None),
    ("alaw.wav", written("ALAW"), None),
    ("stereo.wav", written(channels=2), None),
    ("surround.wav", written(channels=6), None),
    ("a.mp3", written("MPEG_LAYER_III"), None),
    ("a.flac", written("PCM_16"), None),
    ("a.ogg", written("VORBIS"), None),
    ("a.opus.ogg", written("OPUS"), None),
    ("a.aiff", written("PCM_16"), None),
    ("flac named.wav", lambda path: soundfile.write(path, voice(), RATE, format="FLAC"), None),
    ("10ms.wav", written(seconds=0.01), None),
    ("one sample.wav", samples(np.array([0.5])), "silent recording"),
    ("clipped.wav", samples(np.sign(voice()), "PCM_16"), None),
    ("offset.wav", samples(voice() + 0.5), None),
    ("beyond full scale.wav", samples(voice() * 50), None),
    ("truncated.wav", truncated, None),
    ("link.wav", linked, None),
    ("bytes0.wav", lambda path: path.write_bytes(b""), "empty file (0 bytes)"),
    ("header.wav", header_only, "empty recording (no samples)"),
    ("text.wav", lambda path: path.write_text("Ses01F: [neutral]\n" * 100), "unreadable audio"),
    ("._apple.wav", lambda path: path.write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" * 9), "unreadable"),
    ("nan.wav", samples(with_nan(math.nan)), "NaN or infinite"),
    ("inf.wav", samples(with_nan(math.inf)), "NaN or infinite"),
    ("zeros.wav", samples(np.zeros(RATE), "PCM_16"), "silent recording"),
    ("constant.wav", samples(np.full(RATE, 0.25)), "silent recording"),
    ("missing.wav", lambda path: None, "no such file"),
    ("folder.wav", lambda path: path.mkdir(), None),
    ("broken link.wav", lambda path: path.symlink_to(path.with_name("nothing")), "no such file"),
    ("loop.wav", lambda path: path.symlink_to(path), "no such file"),
]  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model that takes audio."""
    extractor = get_extractor("lld")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.standard_normal((40, len(extractor.columns))), columns=extractor.column_names)
    estimator = build_pipeline("logreg", sets=["lld"]).fit(table.assign(group="g"), np.array(["angry", "sad"] * 20))
    folder = tmp_path_factory.mktemp("model") / "m"
    save_model(AudioModel(estimator, [("lld", {})], {"experiment": "e", "setting": "s"}), folder)
    return folder


@pytest.mark.parametrize(("name", "make", "refusal"), RECORDINGS, ids=[name for name, _, _ in RECORDINGS])
def test_recordings(
    name: str, make: Callable[[Path], object], refusal: str | None, model: Path, tmp_path: Path, project_folder: Path
) -> None:
    path = tmp_path / name
    make(path)
    if path.is_dir():
        said = Outcome("predict", str(path), "--model", str(model))
        assert said.code == 2
        assert "no audio files in this folder" in said.message
        return
    said = Outcome("predict", str(path), "--model", str(model), "--json")
    (answer,) = json.loads(said.stdout)
    if refusal is None:
        assert said.code == 0, said.lines
        assert sum(answer["probabilities"].values()) == pytest.approx(1.0)
    else:
        assert said.code == 1
        assert refusal in answer["error"]
        assert answer["error"].startswith(str(path))
        assert answer["label"] == ""


@pytest.mark.slow
def test_what_there_is_no_permission_for(model: Path, tmp_path: Path, project_folder: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for name in "abcd":
        written()(recordings / f"{name}.wav")
    (recordings / "metadata.csv").write_text(GOOD, encoding="utf-8")
    (recordings / "a.wav").chmod(0)
    said = program("predict", str(recordings / "a.wav"), "--model", str(model), "--json", bound=True)
    assert said.returncode == 1
    (answer,) = json.loads(said.stdout)
    assert answer["error"] == f"{recordings / 'a.wav'}: no permission to read it"
    said = program("run", "dummy", "--corpus", "manifest", "--root", str(recordings / "metadata.csv"), bound=True)
    assert said.returncode == 2
    assert f"a.wav ({recordings / 'a.wav'}): no permission to read it" in said.stderr
    assert "Traceback" not in said.stderr
    (recordings / "metadata.csv").chmod(0)
    said = program("run", "dummy", "--corpus", "manifest", "--root", str(recordings / "metadata.csv"), bound=True)
    assert said.returncode == 2
    assert said.stderr.startswith("error: ")
    assert "Permission denied" in said.stderr


@pytest.mark.slow
def test_a_folder_that_is_closed_is_named_and_the_others_go_on(
    model: Path, tmp_path: Path, project_folder: Path
) -> None:
    written()(tmp_path / "a.wav")
    (tmp_path / "locked").mkdir(mode=0)
    (tmp_path / "lost.wav").symlink_to(tmp_path / "nowhere.wav")
    said = program("predict", str(tmp_path), "--model", str(model), "--json", bound=True)
    assert said.returncode == 1
    told = {Path(one["path"]).name: one["error"].partition(": ")[2] for one in json.loads(said.stdout)}
    told.pop("project", None)
    assert told == {"a.wav": "", "locked": "no permission to look into it", "lost.wav": "no such file"}


@pytest.mark.slow
def test_three_hours(model: Path, tmp_path: Path, project_folder: Path) -> None:
    """One utterance it is not, and it says so before it is read; as a timeline it is answered in bounded memory."""
    path = tmp_path / "three hours.flac"
    minute = (voice(60.0, 8000) * 32767 * (np.arange(480_000) % 80_000 < 8000)).astype(np.int16)
    with soundfile.SoundFile(path, "w", 8000, 1, subtype="PCM_16") as file:
        for _ in range(180):
            file.write(minute)
    said = Outcome("predict", str(path), "--model", str(model))
    assert said.code == 1
    (line,) = [line for line in said.lines if "three hours" in line]
    assert "10800 s long; an utterance has at most 1800 s" in line
    command = [sys.executable, "-c", TIMELINE, str(path), str(model)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    n_steps, peak = map(float, done.stdout.split())
    assert n_steps == 1080
    assert peak < 1200 * 2**20


TIMELINE = """
import sys
from pathlib import Path
from ser_experiments import load_model, timeline
found = timeline(load_model(sys.argv[2]), sys.argv[1], window_s=10.0, step_s=10.0)
# Its own peak: that of getrusage begins with the memory of whoever started it.
(peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(len(found.table), int(peak.split()[1]) * 1024)
"""


# --- corpora -----------------------------------------------------------------------------------------------------


def manifest(text: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        for name in ("a", "b", "c", "d"):
            rng = np.random.default_rng(ord(name))
            soundfile.write(folder / f"{name}.wav", 0.1 * rng.standard_normal(4000), RATE)
        (folder / "metadata.csv").write_text(text, encoding="utf-8")
        return ["--corpus", "manifest", "--root", str(folder / "metadata.csv")]

    return make


GOOD = "path,label,speaker\na.wav,sad,1\nb.wav,angry,1\nc.wav,sad,2\nd.wav,angry,2\n"
CORPORA: list[tuple[str, Callable[[Path], list[str]], str]] = [
    ("no column", manifest("file,label,speaker\na.wav,sad,1\n"), "no column 'path'; got file"),
    ("missing file", manifest("path,label,speaker\nz.wav,sad,1\n"), "1 missing files: 'z.wav' (line 2)"),
    ("twice", manifest(GOOD + "a.wav,sad,1\n"), "'a.wav' again, first in line 2"),
    ("empty label", manifest("path,label,speaker\na.wav,,1\nb.wav,sad,2\n"), "line 2: empty 'label'"),
    ("empty speaker", manifest("path,label,speaker\na.wav,sad,\nb.wav,sad,2\n"), "line 2: empty 'speaker'"),
    ("climbs out", manifest("path,label,speaker\n../../etc/passwd,sad,1\n"), "--allow-outside"),
    ("absolute", manifest("path,label,speaker\n/etc/passwd,sad,1\n"), "--allow-outside"),
    ("bad start", manifest("path,label,speaker,start\na.wav,sad,1,soon\n"), "expected seconds"),
    ("ragged", manifest("path,label,speaker\na.wav,sad\n"), "2 fields, expected 3"),
    ("empty", manifest(""), "no rows"),
    ("one class", manifest(GOOD.replace("angry", "sad")), "one class only ('sad')"),
    ("one speaker", manifest(GOOD.replace(",2\n", ",1\n")), "one speaker only ('1')"),
    ("a class that one fold lacks", manifest(GOOD.replace("d.wav,angry", "d.wav,sad")), "have no 'angry'"),
    ("no such folder", lambda folder: ["--corpus", "iemocap", "--root", str(folder / "no")], "no folder: "),
    ("not the corpus", lambda folder: ["--corpus", "iemocap", "--root", str(folder)], "no folder Session1 under"),
    ("unknown corpus", lambda folder: ["--corpus", "iemocat"], "did you mean 'iemocap'?"),
    ("unknown labels", lambda folder: ["--labels", "4clas"], "did you mean '4class'"),
    ("unknown protocol", lambda folder: [*manifest(GOOD)(folder), "--protocol", "leave-one-out"], "leave-one-s"),
    ("unknown normalisation", lambda folder: [*manifest(GOOD)(folder), "--normalize", "all"], "neutral-K"),
    ("table without rows", lambda folder: [*_with_table(folder, "utterance_id,x\n")], "no rows; expected one"),
    ("table of words", lambda folder: [*_with_table(folder, "utterance_id,x\na.wav,y\n")], "'x' is not numeric"),
    ("no table", lambda folder: [*manifest(GOOD)(folder), "--table", str(folder / "no.csv")], "no.csv: no such file"),
    ("unknown key", lambda folder: [*manifest(GOOD)(folder), "--set", "model.D=1"], "model: unknown 'D' for 'svm'"),
    ("no equals sign", lambda folder: [*manifest(GOOD)(folder), "--set", "model.C"], "'model.C': expected key=value"),
]  # fmt: skip


def _with_table(folder: Path, text: str) -> list[str]:
    (folder / "table.csv").write_text(text)
    return [*manifest(GOOD)(folder), "--table", str(folder / "table.csv")]


@pytest.mark.parametrize(("name", "make", "words"), CORPORA, ids=[name for name, _, _ in CORPORA])
def test_corpora(
    name: str, make: Callable[[Path], list[str]], words: str, tmp_path: Path, project_folder: Path
) -> None:
    folder = tmp_path / "own recordings"
    folder.mkdir()
    said = Outcome("run", "svm_lld", *make(folder))
    assert said.code == 2, said.message
    assert words in said.message
    assert not list((project_folder / "mlruns").glob("artifacts/*"))


def _without_raters(path: Path) -> None:
    """Keep the lines of an evaluation file that are none of a rater's."""
    path.write_text("\n".join(line for line in path.read_text().split("\n") if line[:1] in "[%"))


#: What is done to the first of the release's four evaluation files, and how many of the 56 utterances are left.
TREES: list[tuple[str, Callable[[Path], object], int]] = [
    ("nothing wrong", lambda path: None, 56),
    ("truncated", lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), 49),
    ("windows line ends", lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n")), 56),
    ("latin 1", lambda path: path.write_bytes(path.read_bytes().replace(b"free; text", b"\xe9t\xe9")), 56),
    ("odd white space", lambda path: path.write_bytes(path.read_bytes().replace(b"\t", b"   \t ")), 56),
    ("no raters", _without_raters, 56),
    ("empty", lambda path: path.write_bytes(b""), 42),
    ("binary", lambda path: path.write_bytes(bytes(range(256)) * 20), 42),
    ("gone", lambda path: path.unlink(), 42),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spoil", "left"), TREES, ids=[name for name, _, _ in TREES])
def test_evaluation_files(
    name: str, spoil: Callable[[Path], object], left: int, tmp_path: Path, project_folder: Path
) -> None:
    """One spoilt file of the release is said and the rest is used."""
    root = small_tree(tmp_path / "IEMOCAP_full_release")
    whole, before = _described(root)
    spoil(sorted(root.rglob("EmoEvaluation/*.txt"))[0])
    said, after = _described(root)
    assert "56 utterances" in whole
    assert f"{left} utterances" in said
    lost = f"{56 - left} recordings have no label and are left out"
    assert [note for note in after if note not in before] == ([lost] if left < 56 else [])
    assert [note for note in before if note not in after] == []


def _described(root: Path) -> tuple[str, list[str]]:
    """Return the first line of `ser corpora describe` and its notes."""
    outcome = Outcome("corpora", "describe", "iemocap", "--root", str(root))
    assert outcome.code == 0, outcome.message
    lines = outcome.stdout.splitlines()
    return lines[0], [line.removeprefix("note: ") for line in lines if line.startswith("note: ")]


# --- definitions -------------------------------------------------------------------------------------------------

WORDS = st.text(string.ascii_letters + string.digits + "_-. é\"'\\[]{}=#\n", max_size=12)
SCALARS = st.one_of(
    st.booleans(), st.integers(-(2**70), 2**70), st.floats(), WORDS,
    st.sampled_from(["svm", "stack", "lld", "xgboost", "standard", "balanced", "svm_lld", "auto", "none", "cnn"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=6,
)
KEYS = st.one_of(
    st.sampled_from(
        ["description", "features", "sets", "params", "model", "type", "pipeline", "scale", "select", "calibrate",
         "balance", "search", "space", "trials", "folds", "members", "C", "kernel", "n_estimators", "class_weight"]
    ),
    WORDS,
)  # fmt: skip
SECTIONS = st.dictionaries(KEYS, VALUES, max_size=4)
DEFINITIONS = st.fixed_dictionaries(
    {}, optional={"model": SECTIONS, "features": SECTIONS, "pipeline": SECTIONS, "search": SECTIONS,
                  "members": VALUES, "description": VALUES, "modle": VALUES},
)  # fmt: skip


def as_toml(value: object) -> str:
    """Write a value in TOML, inline."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan" if math.isnan(value) else repr(value))
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    assert isinstance(value, dict)
    return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(inner)}" for key, inner in value.items()) + "}"


@pytest.fixture
def definitions(project_folder: Path) -> Path:
    return project_folder / "experiments"


def use(folder: Path) -> None:
    """Do with a definition all that is done before anything is fitted: it works, or one line says why it does not."""
    try:
        experiment = load_experiment("odd", folder)
        features_of(experiment)
        build_estimator(experiment)
    except InputError as error:
        if "\n" in str(error):
            pytest.fail(f"more than one line: {error}")


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DEFINITIONS)
def test_no_definition_leads_to_a_traceback(definitions: Path, values: dict[str, Any]) -> None:
    text = "".join(f"{json.dumps(key)} = {as_toml(value)}\n" for key, value in values.items())
    (definitions / "odd.toml").write_text(text, encoding="utf-8")
    use(definitions)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(path.name for path in SHIPPED.glob("*.toml"))), st.data())
def test_no_slip_of_the_pen_leads_to_a_traceback(definitions: Path, name: str, data: st.DataObject) -> None:
    text = (SHIPPED / name).read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text)))
        end = min(len(text), place + data.draw(st.integers(0, 6)))
        text = text[:place] + data.draw(WORDS) + text[end:]
    (definitions / "odd.toml").write_text(text, encoding="utf-8")
    use(definitions)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x00" * 10, b"[model", b"a = 1\na = 2", b"\xef\xbb\xbf[model]"])
def test_definitions_that_are_no_toml(definitions: Path, data: bytes) -> None:
    (definitions / "odd.toml").write_bytes(data)
    said = Outcome("run", "odd")
    assert said.code == 2
    assert "odd.toml" in said.message


@pytest.mark.parametrize("name", ["../pyproject", "/etc/passwd", "svm_lld.toml", "", "svm lld", "x" * 5000, "a\x00b"])
def test_names_of_experiments(project_folder: Path, name: str) -> None:
    said = Outcome("run", name)
    assert said.code == 2
    assert (
        "no such file; the experiment is called 'svm_lld'" if "toml" in name else "unknown experiment"
    ) in said.message


# --- models ------------------------------------------------------------------------------------------------------


def changed(**values: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        told = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps({**told, **values}))

    return change


def another_version(folder: Path) -> None:
    told = json.loads((folder / "model.json").read_text())
    told["extractors"][0]["version"] = "0"
    (folder / "model.json").write_text(json.dumps(told))


MODELS: list[tuple[str, Callable[[Path], object], str]] = [
    ("no folder", shutil.rmtree, "not a model of this project"),
    ("no estimator", lambda folder: (folder / "estimator.skops").unlink(), "not a model of this project"),
    ("estimator changed", lambda folder: (folder / "estimator.skops").write_bytes(b"PK"), "do not use it"),
    ("no json", lambda folder: (folder / "model.json").write_text("{"), "not a model of this project"),
    ("a list", lambda folder: (folder / "model.json").write_text("[]"), "not of format"),
    ("future format", changed(format=99), "not of format"),
    ("another version of a set", another_version, "version 0"),
    ("unknown set", changed(sets=[["lldd", {}]]), "did you mean 'lld'"),
    ("sets of another shape", changed(sets=5), "model.json"),
    ("no extractors", changed(extractors=[]), "model.json"),
]


@pytest.mark.parametrize(("name", "spoil", "words"), MODELS, ids=[name for name, _, _ in MODELS])
def test_models(
    name: str, spoil: Callable[[Path], object], words: str, model: Path, tmp_path: Path, project_folder: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    spoil(folder)
    written()(tmp_path / "a.wav")
    said = Outcome("predict", str(tmp_path / "a.wav"), "--model", str(folder))
    assert said.code == 2
    assert words in said.message


# --- requests ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(model: Path) -> serving._Served:
    return serving._load_pyfunc(str(model))  # type: ignore[return-value]


REQUESTS: list[tuple[str, object, str]] = [
    ("a number", 5, "must be bytes, got int"),
    ("nothing", None, "must be bytes"),
    ("a list", [1, 2], "must be bytes, got list"),
    ("a path", "/etc/passwd", "base64"),
    ("a path in base64", base64.b64encode(b"/etc/passwd").decode(), "unreadable audio"),
    ("an address", "http://127.0.0.1/a.wav", "base64"),
    ("no bytes", b"", "unreadable audio"),
    ("text", b"hello", "unreadable audio"),
    ("huge", bytes(MAX_BYTES + 1), "at most"),
]


@pytest.mark.parametrize(("name", "value", "words"), REQUESTS, ids=[name for name, _, _ in REQUESTS])
def test_requests(served: serving._Served, name: str, value: object, words: str, tmp_path: Path) -> None:
    written()(tmp_path / "good.wav")
    rows = pd.DataFrame({"audio": pd.Series([value, (tmp_path / "good.wav").read_bytes()], dtype=object)})
    answers = served.predict(rows)
    assert answers["label"].iloc[0] == ""
    assert words in answers["error"].iloc[0]
    assert answers["error"].iloc[1] == ""
    assert answers["label"].iloc[1] != ""


@pytest.mark.slow
def test_a_long_request(served: serving._Served, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.ogg", voice(301.0, 8000), 8000, subtype="OPUS", format="OGG")
    answer = served.predict(pd.DataFrame({"audio": [(tmp_path / "long.ogg").read_bytes()]}))
    assert "301 s long; at most 300 s" in answer["error"].iloc[0]


def test_a_long_request_that_does_not_say_so(served: serving._Served, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.flac", voice(301.0, 8000), 8000)
    data = bytearray((tmp_path / "long.flac").read_bytes())
    data[21] &= 0xF0  # the number of samples: not known
    data[22:26] = bytes(4)
    answer = served.predict(pd.DataFrame({"audio": [bytes(data)]}))
    assert "s or longer; at most 300 s" in answer["error"].iloc[0]


# --- the place where it runs -------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_without_a_home(tmp_path: Path, project_folder: Path) -> None:
    root = small_tree(tmp_path / "IEMOCAP_full_release")
    done = program(
        "run", "dummy", "--corpus", "iemocap", "--root", str(root), cwd=project_folder,
        HOME=None, XDG_CACHE_HOME=None, MPLCONFIGDIR=None, USER=None,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_project_that_cannot_be_written(tmp_path: Path, small_disk: Path, project_folder: Path) -> None:
    root = small_tree(tmp_path / "IEMOCAP_full_release")
    shutil.copytree(project_folder / "experiments", small_disk / "experiments")
    (small_disk / "ser.toml").touch()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = program("run", "dummy", "--corpus", "iemocap", "--root", str(root), cwd=small_disk)
    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")], done.stderr
    assert "Traceback" not in done.stderr
    assert program("list", cwd=small_disk).returncode == 0


@pytest.mark.slow
def test_a_full_disk(tmp_path: Path, small_disk: Path, project_folder: Path) -> None:
    root = small_tree(tmp_path / "IEMOCAP_full_release")
    shutil.copytree(project_folder / "experiments", small_disk / "experiments")
    shutil.copytree(project_folder / "mlruns", small_disk / "mlruns")
    (small_disk / "ser.toml").touch()
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 100_000))
    done = program("run", "svm_lld", "--corpus", "iemocap", "--root", str(root), cwd=small_disk)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr or "full" in done.stderr
    (small_disk / "filler").unlink()
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    assert program("run", "svm_lld", "--corpus", "iemocap", "--root", str(root), cwd=small_disk).returncode == 0


def test_a_name_with_a_line_break_is_told_in_one_line(tmp_path: Path) -> None:
    from ser_experiments.errors import InputError
    from ser_experiments.experiment.sections import parse_definition

    with pytest.raises(InputError) as told:
        parse_definition({"model": {"type": "svm", "description": {"\n": float("nan")}}}, "odd.toml")
    assert "\n" not in str(told.value)
