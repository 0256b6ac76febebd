"""`ser report` as it is typed: what it writes of runs of every kind, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ser_experiments.evaluation.plots import pictures_of
from ser_experiments.frames import Predictions
from ser_experiments.report import drawn, results
from ser_experiments.report.written import PICTURES
from ser_experiments.tasks import task_kinds
from tests.command import ser
from tests.logged import log
from tests.report.test_written import NASTY, shown
from tests.scored import MAKERS

SETTING = "corpus-x"
FOLDER = "report-corpus-x"


@pytest.fixture
def store(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SER_TRACKER", "json")
    return project_folder


@pytest.fixture
def undrawn(store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Take a stand-in for every picture that would be drawn: drawing takes most of the time."""
    for module in (drawn, results):
        monkeypatch.setattr(module, "png_of", lambda draw: b"\x89PNG drawn")
    return store


def two(kind: str = "classes", **more: str) -> list[Predictions]:
    """Log a good run and a poor one of a kind of task."""
    made = [MAKERS[kind](skill, seed, 5, 12) for skill, seed in ((0.8, 1), (0.2, 2))]
    for name, predictions in zip(("good", "poor"), made, strict=True):
        log(name, predictions, SETTING, **more)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


#: Of votes there are the fewest pictures.
KINDS = [kind if kind == "votes" else pytest.param(kind, marks=pytest.mark.slow) for kind in task_kinds()]


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_of_every_kind(kind: str, store: Path) -> None:
    predictions, _ = two(kind)
    before = contents(store / "mlruns")
    done = ser("report", SETTING, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    board = json.loads(ser("compare", "--setting", SETTING, "--json").stdout)
    assert told["runs"] == board["runs"]
    assert contents(store / "mlruns") == before
    assert set(told["files"]) == set(contents(store / FOLDER))

    pictures = [Path(name).name for name in pictures_of(predictions)]
    assert {f"{PICTURES}/{name}" for name in ["board.png", *pictures]} <= set(told["files"])
    page = shown((store / FOLDER / "report.html").read_text())
    alts = [attrs["alt"] or "" for tag, attrs in page.tags if tag == "img"]
    assert len(alts) == len(pictures) + 1
    # The pooled score is in the words of the pictures of folds and speakers, and that of the board in both places.
    pooled = f"{board['best_score']:.3f}"
    bars = [name for name in pictures if name.startswith(("fold_", "speaker_"))]
    assert sum(pooled in alt for alt in alts) >= 1 + len(bars) >= 2
    assert all(any(sign.isdigit() for sign in alt) for alt in alts)
    best, text = board["runs"][0], "".join(page.texts)
    for number in (pooled, f"{best['low']:.3f} to {best['high']:.3f}", f"{board['best_corrected']:.3f}"):
        assert number in text
        assert number in (store / FOLDER / "report.md").read_text()
    other = board["runs"][1]
    assert f"{other['difference']:+.3f}" in text
    assert f"{other['detectable']:.3f}" in text
    assert f"${other['difference']:+.3f}"[:2] + "$" in (store / FOLDER / "table.tex").read_text()
    for target in predictions.task.targets:
        assert target in text


def test_every_picture_says_in_words_what_it_shows() -> None:
    for make in MAKERS.values():
        assert all(picture.say is not None for picture in pictures_of(make(0.5, 0, 4, 10)).values())


@pytest.mark.slow
def test_the_same_runs_give_the_same_report(store: Path) -> None:
    two("votes")
    assert ser("report").returncode == 0
    first = contents(store / FOLDER)
    assert ser("report").returncode == 0
    assert contents(store / FOLDER) == first


def test_a_logged_picture_is_taken_as_it_is(undrawn: Path) -> None:
    two()
    (best,) = [path.parent for path in undrawn.rglob("run.json") if json.loads(path.read_text())["name"] == "good"]
    (best / "artifacts" / "plots").mkdir()
    logged = b"\x89PNG\r\n\x1a\nof the run"
    (best / "artifacts" / "plots" / "confusion_matrix.png").write_bytes(logged)
    (best / "artifacts" / "plots" / "speaker_uar.png").write_bytes(b"<svg onload=x>")
    assert ser("report").returncode == 0
    assert (undrawn / FOLDER / PICTURES / "confusion_matrix.png").read_bytes() == logged
    assert (undrawn / FOLDER / PICTURES / "speaker_uar.png").read_bytes().startswith(b"\x89PNG")


def test_what_runs_warn_of_is_on_the_page(undrawn: Path) -> None:
    two(synthetic="true", leaky="true", contaminated="true", changes="model.C=3; <b>", card="0123456789abcdef")
    assert ser("report").returncode == 0
    text = "".join(shown((undrawn / FOLDER / "report.html").read_text()).texts)
    for words in (
        "synthetic speech",
        "tested speakers were seen in training",
        "learned from the labels",
        "model.C=3; <b>",
    ):
        assert words in text
    assert "good" in text
    assert "(knows the labels)" in text
    assert "0123456789abcdef" in text
    assert "% Protocol card: 0123456789abcdef" in (undrawn / FOLDER / "table.tex").read_text()
    assert (
        "\nser protocol --corpus corpus-x --protocol p --export card.json\n"
        in (undrawn / FOLDER / "report.md").read_text()
    )


def test_names_of_users_are_shown_and_not_obeyed(undrawn: Path) -> None:
    """Classes, speakers and experiments may hold whatever is a word."""
    words = [one for one in NASTY if one.isprintable()]
    predictions = MAKERS["classes"](0.8, 1, 5, 12)
    names = dict(zip(predictions.task.targets, words, strict=False))
    frame = predictions.frame.replace({"label": names, "predicted": names})
    frame = frame.rename(columns={f"p_{old}": f"p_{new}" for old, new in names.items()})
    for column in ("speaker", "group", "fold"):
        frame[column] = frame[column].map(dict(zip(frame[column].unique(), words[4:], strict=False)))
    for name in (words[0], words[-1]):
        log(name, Predictions.of_classes(frame), SETTING, changes=words[1], labels=words[2], subset=words[3])
    done = ser("report")
    assert done.returncode == 0, done.stderr
    page = shown((undrawn / FOLDER / "report.html").read_text())
    text = "".join(page.texts)
    assert all(word in text for word in [*words[:9], words[-1]])
    assert not {"script", "x"} & {tag for tag, _ in page.tags}


def test_a_champion_has_its_card(undrawn: Path) -> None:
    two()
    assert ser("report").returncode == 0
    assert "Model card" not in (undrawn / FOLDER / "report.md").read_text()
    assert ser("register", "good").returncode == 0
    assert ser("report").returncode == 0
    text = (undrawn / FOLDER / "report.md").read_text()
    assert "## Model card" in text
    assert "\nser predict FILE --model ser-corpus-x\n" in text
    assert "| 1 | good | uar " in text


def test_files_of_others_are_left_alone(undrawn: Path) -> None:
    two()
    (undrawn / "mine").mkdir()
    (undrawn / "mine" / "report.md").write_text("my own words")
    (undrawn / "mine" / "thesis.tex").write_text("more of them")
    before = contents(undrawn / "mine")
    done = ser("report", "--out", "mine")
    assert done.returncode == 2
    assert "report.md: is not a report's; move it away, or choose another folder with --out" in done.stderr
    assert contents(undrawn / "mine") == before

    (undrawn / "mine" / "report.md").unlink()
    assert ser("report", "--out", "mine").returncode == 0
    assert (undrawn / "mine" / "thesis.tex").read_text() == "more of them"
    page = undrawn / "mine" / "report.html"
    page.write_text(page.read_text() + "<!-- my note -->")
    before = contents(undrawn / "mine")
    done = ser("report", "--out", "mine")
    assert done.returncode == 2
    assert "report.html: was changed since it was written" in done.stderr
    assert contents(undrawn / "mine") == before


def test_pictures_that_are_no_longer_part_of_it_are_removed(undrawn: Path) -> None:
    two()
    assert ser("report", "--out", "r").returncode == 0
    two("dimensions")  # of another setting, in the same folder
    log("other", MAKERS["dimensions"](0.5, 0, 5, 12), "numbers")
    assert ser("report", "numbers", "--out", "r").returncode == 0
    assert not (undrawn / "r" / PICTURES / "confusion_matrix.png").exists()
    assert (undrawn / "r" / PICTURES / "residuals.png").exists()


@pytest.mark.parametrize("content", ["{}", "[]", "no json", '{"format": "ser-report/1", "files": {"../x": ["0"]}}'])
def test_a_list_of_somebody_elses_is_no_reports(content: str, undrawn: Path) -> None:
    two()
    (undrawn / "mine").mkdir()
    (undrawn / "mine" / "report.json").write_text(content)
    done = ser("report", "--out", "mine")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "choose another folder with --out" in done.stderr
    assert contents(undrawn / "mine") == {"report.json": content.encode()}


def test_what_is_asked_wrongly(undrawn: Path) -> None:
    done = ser("report")
    assert done.returncode == 2
    assert "no runs in" in done.stderr
    two()
    assert "did you mean 'corpus-x'?" in ser("report", "corpus-y").stderr
    assert "did you mean 'uar'?" in ser("report", "--metric", "uaar").stderr
    (undrawn / "file").write_text("x")
    assert "is a file" in ser("report", "--out", "file").stderr
    assert not (undrawn / FOLDER).exists()
    assert ser("report", "--metric", "log_loss").returncode == 0
    assert "less is better" in (undrawn / FOLDER / "report.md").read_text()


@pytest.mark.slow
def test_a_report_from_mlflow(project_folder: Path) -> None:
    two()
    assert ser("register", "good").returncode == 0
    done = ser("report")
    assert done.returncode == 0, done.stderr
    assert "## Model card" in (project_folder / FOLDER / "report.md").read_text()
    assert (project_folder / FOLDER / PICTURES / "reliability.png").exists()
