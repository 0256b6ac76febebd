"""Words of other people: what is none is refused where it is read, and what is one is obeyed by nothing."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ser_experiments.cli import _answers, ser
from ser_experiments.cli._recordings import Recording, recordings
from ser_experiments.cli._say import Said, say
from ser_experiments.corpora import load_corpus
from ser_experiments.csvfile import read_csv, write_csv
from ser_experiments.errors import InputError
from ser_experiments.evaluation.card import read_card
from ser_experiments.evaluation.predictions import read_predictions
from ser_experiments.experiment.definition import load_experiment
from ser_experiments.features.external import read_table
from ser_experiments.frames import check_utterances
from ser_experiments.tasks.classes import Classes
from ser_experiments.tracking.names import LONGEST, as_stored, as_told, check_names
from ser_experiments.words import (
    MOST,
    MOST_OF_ID,
    as_cell,
    as_file_name,
    check_word,
    check_words,
    from_cell,
    in_lines,
    in_one_line,
)

CLI = Path(__file__).parents[2] / "ser_experiments" / "cli"
#: What no word is, and what is said of it.
REFUSED = {
    "escape": ("a\x1b[31mb", "not printable"),
    "title": ("\x1b]0;owned\x07", "not printable"),
    "bell": ("a\x07", "not printable"),
    "line": ("a\nb", "not printable"),
    "return": ("a\rb", "not printable"),
    "next line": ("a\x85b", "not printable"),
    "separator": ("a\u2028b", "not printable"),
    "turned over": ("a\u202eb", "not printable"),
    "isolated": ("a\u2066b", "not printable"),
    "half a character": ("a\udcffb", "not printable"),
    "201": ("a" * (MOST + 1), "at most 200"),
    "5,000": ("a" * 5000, "at most 200"),
}
#: What is one, however odd.
TAKEN = [
    "anger (hot)", "[/Anna]", "[bold]x[/]", ":fire:", "=cmd|' /C calc'!A0", "+1", "-x", "@x", "José", "Jose\u0301",
    "عربي", "می\u200cخواهم", "日本語", "👩\u200d🚀", "a$b$", "S 03", "a" * MOST, "a\\", "%s", "{x}", "'a", "C:\\a",
]  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_word(name: str) -> None:
    word, said = REFUSED[name]
    for check in (lambda: check_word(word, "x: speaker"), lambda: check_words(["fine", None, word], "x: speaker")):
        with pytest.raises(InputError, match=said) as told:
            check()
        assert str(told.value).startswith("x: speaker ")
        assert len(str(told.value)) < 300


@pytest.mark.parametrize("word", TAKEN)
def test_what_is_a_word(word: str) -> None:
    assert check_word(word, "x") == word


def test_an_id_may_be_a_path() -> None:
    check_words(["/data/" + "d/" * 2000 + "a b.wav[0.5-1.25]"], "x", most=MOST_OF_ID)
    with pytest.raises(InputError, match="at most 4352"):
        check_words(["d" * 5000], "x", most=MOST_OF_ID)


def utterances(**changes: object) -> pd.DataFrame:
    index = pd.Index([str(changes.pop("id", "u")), "v"], name="utterance_id")
    table = {"path": "/a.wav", "start_s": np.nan, "end_s": np.nan, "speaker": "s", "session": "1", "gender": "f"}
    frame = pd.DataFrame({**table, "emotion": "sad"}, index=index)
    for column, word in changes.items():
        frame[column] = [word, *frame[column].iloc[1:]] if column in frame else word
    return frame


@pytest.mark.parametrize("name", ["escape", "line", "turned over", "5,000"])
@pytest.mark.parametrize("column", ["id", "speaker", "session", "gender", "emotion"])
def test_every_reader_of_a_corpus_is_held_to_words(column: str, name: str) -> None:
    with pytest.raises(InputError, match=REFUSED[name][1] if column != "id" else "not printable|at most 4352"):
        check_utterances(utterances(**{column: REFUSED[name][0]}), "corpus 'x'", also=("emotion",))
    check_utterances(utterances(), "corpus 'x'", also=("emotion",))


@pytest.mark.parametrize("word", TAKEN)
def test_words_of_a_corpus_may_be_odd(word: str) -> None:
    check_utterances(utterances(id=word, speaker=word, session=word, emotion=word), "x", also=("emotion",))


def card(tmp_path: Path, **changes: str) -> Path:
    row = {"id": "u", "label": "sad", "speaker": "s", "session": "1", "group": "s", "fold": "s"}
    setting = {"corpus": "c", "labels": "as-is", "subset": "all", "protocol": "leave-one-speaker-out",
               "unit": "speaker", "normalize": "none"}  # fmt: skip
    row |= {key: value for key, value in changes.items() if key in row}
    setting |= {key: value for key, value in changes.items() if key in setting}
    path = tmp_path / "card.json"
    content = {"format": "ser-protocol-card/1", "digest": "0", "setting": setting, "columns": list(row)}
    path.write_text(json.dumps({**content, "rows": [list(row.values())]}))
    return path


def listed(tmp_path: Path, **changes: str) -> Path:
    path = tmp_path / "list.csv"
    cells = {"path": "a.wav", "speaker": "s", **changes}
    write_csv(pd.DataFrame({name: [cell] for name, cell in cells.items()}), path, index=False)
    return path


def predicted(tmp_path: Path, **changes: str) -> Path:
    path = tmp_path / "predictions.csv"
    cells = {"utterance_id": "u", "predicted": "sad", **changes}
    write_csv(pd.DataFrame({name: [cell] for name, cell in cells.items()}), path, index=False)
    return path


def table(tmp_path: Path, **changes: str) -> Path:
    path = tmp_path / "table.csv"
    name = changes.get("column", "x")
    write_csv(pd.DataFrame({"utterance_id": [changes.get("id", "u"), "v"], name: [1.0, 2.0]}), path, index=False)
    return path


#: What else reads words, and where in it they stand.
READERS: dict[str, tuple[Callable[..., Path], Callable[[Path], object], str]] = {
    "a corpus's name on a card": (card, read_card, "corpus"),
    "a label on a card": (card, read_card, "label"),
    "an id on a card": (card, read_card, "id"),
    "a speaker of a list": (listed, lambda path: list(recordings([path])), "speaker"),
    "a class that was predicted": (predicted, read_predictions, "predicted"),
    "an id that was predicted": (predicted, read_predictions, "utterance_id"),
    "a column of a table": (table, lambda path: read_table(path, utterances()), "column"),
    "an id of a table": (table, lambda path: read_table(path, utterances()), "id"),
}


@pytest.mark.parametrize("name", ["escape", "turned over", "5,000"])
@pytest.mark.parametrize("reader", READERS)
def test_every_other_reader_is_held_to_words(reader: str, name: str, tmp_path: Path) -> None:
    write, read, place = READERS[reader]
    with pytest.raises(InputError, match="not printable|at most 200|at most 4352") as told:
        read(write(tmp_path, **{place: REFUSED[name][0]}))
    assert str(told.value).isprintable()


def test_a_manifest_says_which_word(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"RIFF")
    path = tmp_path / "metadata.csv"
    path.write_text(f"path,label,speaker\na.wav,sad,{'s' * 400}\nb.wav,glad,t\n")
    with pytest.raises(InputError, match="speaker 's+...' has 400 characters; at most 200 are taken"):
        load_corpus("manifest", path)
    path.write_text("path,label,speaker\na.wav,sad,s\nb.wav,glad,t\n")
    with pytest.raises(InputError, match="name 'n+...' has 400 characters"):
        load_corpus("manifest", path, name="n" * 400)
    with pytest.raises(InputError, match="--map 'c+...' has 400 characters"):
        load_corpus("manifest", path, map=[f"sad={'c' * 400}"])
    with pytest.raises(InputError, match="not printable"):
        load_corpus("manifest", path, map={"sad": "a\x1bb"})


def test_an_experiment_with_the_name_of_an_escape_is_refused(tmp_path: Path) -> None:
    name = "a\x1b[31m"
    (tmp_path / f"{name}.toml").write_text('[model]\ntype = "dummy"\n')
    with pytest.raises(InputError, match="not printable"):
        load_experiment(name, tmp_path)


# --- where they leave --------------------------------------------------------------------------------------------


@given(st.text())
def test_nothing_that_is_said_moves_a_terminal(text: str) -> None:
    line = in_one_line(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", line)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", in_lines(text))
    assert in_one_line(line) == line
    assert in_lines(text).count("\n") == text.count("\n")


@pytest.mark.parametrize("word", TAKEN)
def test_words_are_said_as_they_are(word: str) -> None:
    assert in_one_line(word) == word


def test_what_is_said_and_what_is_logged_passes_one_place(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[2Jb\nsecond")
    assert capsys.readouterr().out == "a\\x1b[2Jb\nsecond\n"
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "left out %s", ("\x1b[2J",), None)
    assert Said("%(message)s").format(record) == "left out \\x1b[2J"
    # A new command cannot forget it. The two others write what they must as it is: a bar, and rows for programs.
    own = {path.name for path in CLI.glob("*.py") if "click.echo(" in path.read_text()}
    assert own == {"_say.py", "_timelines.py", "_answers.py"}
    raw = {path.name for path in CLI.glob("*.py") if re.search(r"\bprint\(", path.read_text())}
    # Rich, of which the next test is.
    tables = {"_audit.py", "_boards.py", "_several.py"}
    assert raw == {*tables, "compare.py", "enrolment.py", "inspect.py", "leaks.py", "run.py", "transfer.py"}


@pytest.mark.parametrize("word", ["[/Anna]", "[red]x", ":fire:", "a\x1b[2J", "$x$", "[/]", "\\"])
def test_rich_obeys_no_word(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    from ser_experiments.cli._boards import print_table

    print_table(Console(width=200, highlight=False, emoji=False), ["", word], [["1", word]], left=[1])
    shown = capsys.readouterr().out
    assert in_one_line(word) in shown
    assert "\x1b[2J" not in shown


def test_a_run_on_odd_names_is_shown_logged_compared_and_verified(project_folder: Path, tmp_path: Path) -> None:
    """A speaker `[/Anna]` was a traceback; what was logged is read back as it was."""
    speakers, labels = ["[/Anna]", "[red]x", ":fire:", "=cmd", "$a$", "-x"], ["anger (hot)", "[/x]", "+1"]
    rng, lines, rows = np.random.default_rng(0), ["path,label,speaker"], ["utterance_id,x,y"]
    for number, (speaker, label) in enumerate((one, other) for one in speakers for other in labels):
        soundfile.write(tmp_path / f"{number}.wav", rng.normal(0, 0.1, 4000), 16_000)
        lines.append(f'{number}.wav,"{label}","{speaker}"')
        rows.append(f"{number}.wav,{rng.normal()},{rng.normal()}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    (tmp_path / "table.csv").write_text("\n".join(rows))
    corpus = ["--corpus", "manifest", "--root", str(tmp_path)]
    done = CliRunner().invoke(ser, ["run", "dummy", *corpus, "--table", str(tmp_path / "table.csv"), "--jobs", "1"])
    assert done.exception is None, done.stderr
    assert all(speaker in done.stdout for speaker in speakers)
    card = tmp_path / "card.json"
    assert CliRunner().invoke(ser, ["protocol", *corpus, "--export", str(card)]).exit_code == 0
    (kept,) = project_folder.rglob("predictions.csv")
    assert not re.search(r"^[=@]|,[=@]|,-x", kept.read_text(), re.MULTILINE)
    verified = CliRunner().invoke(ser, ["verify", str(kept), "--card", str(card)])
    assert verified.exception is None, verified.stderr
    compared = CliRunner().invoke(ser, ["compare", "--picture", str(tmp_path / "board.png")])
    assert compared.exception is None, compared.stderr


FORMULAS = ["=cmd|' /C calc'!A0", "+cmd", "-cmd", "@SUM(1)", "＝1+1", "'=x", "''+x", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("word", [*FORMULAS, "sad", "'quoted'", "-0.5", "+3", "-inf", "a=b", ""])
def test_a_cell_is_no_formula_and_is_read_back(word: str, tmp_path: Path) -> None:
    cell = as_cell(word)
    assert (cell[:1] not in "=+-@＝" or not cell) or float(cell) is not None
    assert from_cell(cell) == word
    frame = pd.DataFrame(
        {"label": [word or "x"], f"p_{word}": [0.5], word or "y": ["x"]}, index=pd.Index(["u"], name="i")
    )
    write_csv(frame, tmp_path / "t.csv")
    found = read_csv(tmp_path / "t.csv")
    assert found["label"].tolist() == frame["label"].tolist()
    assert list(found.columns) == ["i", *frame.columns]
    plain = (tmp_path / "t.csv").read_text().splitlines()[1].split(",")
    assert all(not re.match(r"\"?[=+@＝]|\"?-[^\d.i]", one) or word in ("+3",) for one in plain)


def test_predictions_are_read_back_as_they_were(tmp_path: Path) -> None:
    index = pd.Index(["-a.wav", "=b.wav", "'+c", "-03"], name="utterance_id")
    frame = pd.DataFrame({"label": ["=x", "+y", "=x", "-1"], "predicted": ["=x", "=x", "+y", "-1"]}, index=index)
    write_csv(frame, tmp_path / "p.csv")
    pd.testing.assert_frame_equal(read_predictions(tmp_path / "p.csv"), frame, check_dtype=False)


def test_answers_as_csv_are_no_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    task = Classes.of(["=cmd", "b"])
    answer = {"label": "=cmd", "probabilities": {"=cmd": 0.75, "b": 0.25}, "warnings": [], "error": ""}
    _answers.show([(Recording(Path("=1+1.wav"), "p"), answer)], task, "csv")
    (head, row) = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head[:4] == ["path", "label", "p_=cmd", "p_b"]
    assert row[:4] == ["'=1+1.wav", "'=cmd", "0.750000", "0.250000"]


@pytest.mark.parametrize(
    "word", ["../../etc/passwd", "a/b", "..", ".", "", "a\0b", "a" * 5000, "é" * 300, "C:\\x", "\x1b[2J"]
)
def test_a_file_name_leads_nowhere_else(word: str, tmp_path: Path) -> None:
    path = tmp_path / as_file_name(word, "_timeline.png")
    path.touch()
    assert path.resolve().parent == tmp_path.resolve()
    assert path.name.endswith("_timeline.png")
    assert in_one_line(path.name) == path.name


def test_pictures_take_a_dollar_for_one() -> None:
    from ser_experiments.evaluation.plots._style import new_figure

    figure, (axis,) = new_figure(2, 2)
    axis.set_title(r"$\frac{$ of Anna")
    axis.set_xticks([0], labels=["$x"])
    figure.canvas.draw()


# --- stores ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [*TAKEN, "(" * MOST])
def test_a_name_that_a_store_would_refuse_is_refused_before_anything_is_run(word: str) -> None:
    """What passes makes names that every store takes, and comes back from them."""
    assert as_told(as_stored(word)) == word
    if len(as_stored(word)) + 80 > LONGEST:
        with pytest.raises(InputError, match="at most 250 can be logged"):
            check_names("c-as-is-leave-one-speaker-out", [word], [word])
        return
    check_names("c-as-is-leave-one-speaker-out", [word], [word])
    from mlflow.entities import Dataset as MlflowDataset
    from mlflow.utils.validation import _validate_dataset

    from ser_experiments.tracking.backends._mlflow.limits import of_metrics, of_params, of_tags
    from ser_experiments.tracking.files import described_dataset
    from ser_experiments.tracking.record import Dataset

    for n_columns in (3, 10_000):
        columns = {f"{word}{i}": "float32" for i in range(n_columns)}
        _validate_dataset(MlflowDataset(**described_dataset(Dataset(word, f"{word} ({word})", "d", columns, 5))))
    name = as_stored(word)
    of_metrics([(f"recall_{name}", 1.0, 0, 0), (f"recall_{name}_ci_high", 1.0, 0, 0)])
    of_params({f"best.{name}.pipeline.select": "1"})
    of_tags({"ser.member": word})
