"""What clips of a new speaker are worth: each step on the same recordings, and what cannot be held."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments import run_experiment
from ser_experiments.evaluation.plots import plot_enrolment
from ser_experiments.evaluation.score import GroupMeans
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.experiment.enrolment import enrolment_curve
from ser_experiments.experiment.request import RunRequest
from ser_experiments.project import find
from tests.command import ser
from tests.iemocap_tree import tone


@pytest.fixture
def voices(tmp_path: Path, project_folder: Path) -> tuple[str, ...]:
    """Write a table in which a speaker's voice hides the emotion, and a neutral clip tells the voice."""
    rng = np.random.default_rng(0)
    lines, rows = ["path,label,speaker"], {}
    for speaker in "abcde":
        voice = rng.normal(size=4) * 8
        for number in range(12):
            label = ("angry", "neutral", "sad")[number % 3]
            path = f"{speaker}{number:02d}.wav"
            tone(tmp_path / path, len(lines), seconds=0.3)
            lines.append(f"{path},{label},{speaker}")
            rows[path] = voice + {"angry": 3, "neutral": 0, "sad": -3}[label] + rng.normal(size=4)
    (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list("wxyz")).rename_axis("utterance_id")
    table.to_csv(tmp_path / "table.csv")
    return "--root", str(tmp_path / "list.csv"), "--table", str(tmp_path / "table.csv")


def test_the_curve_says_what_clips_are_worth(voices: tuple[str, ...], tmp_path: Path) -> None:
    given = ("--clips", "3", "--clips", "40", "--draws", "2", "--picture", str(tmp_path / "curve.png"))
    done = ser("enrolment", "logreg_lld", *voices, *given, "--json")
    assert done.returncode == 0, done.stderr
    found = {(one["kind"], one["clips"]): one for one in json.loads(done.stdout)}
    assert list(found) == [
        ("none", "0"), ("any", "3"), ("any", "40"), ("any", "all"),
        ("neutral", "3"), ("neutral", "40"), ("neutral", "all"), ("speaker", "all"),
    ]  # fmt: skip
    first, neutral, whole = found["none", "0"], found["neutral", "3"], found["speaker", "all"]
    where = {"root": voices[1], "table": voices[3], "log_run": False, "jobs": 1}
    # The ends are what the runs score.
    assert first["value"] == run_experiment("logreg_lld", **where).metrics["uar"]
    assert whole["value"] == run_experiment("logreg_lld", normalize="speaker", **where).metrics["uar"]
    assert first["difference"] is None
    assert neutral["difference"]["value"] == pytest.approx(neutral["value"] - first["value"])
    assert neutral["difference"]["low"] > 0
    assert neutral["value"] > found["any", "3"]["value"]
    assert (neutral["draws"], found["any", "all"]["draws"]) == (2, 1)
    assert neutral["spread"] >= 0
    assert found["any", "all"]["spread"] is None
    # Four clips are neutral: of one of them there are three others.
    assert neutral["given"] == 3.0
    assert neutral["fewer"] == {}
    assert found["neutral", "all"]["given"] == pytest.approx((3 * 4 + 4 * 8) / 12)
    assert "no speaker has 40 other clips" in found["any", "40"]["why_not"]
    assert (tmp_path / "curve.png").stat().st_size > 5000


def test_what_is_shown_and_what_cannot_be_held(voices: tuple[str, ...], tmp_path: Path) -> None:
    done = ser("enrolment", "dummy", *voices, "--clips", "4", "--draws", "1", "--drop", "neutral")
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    assert "dummy on" in shown
    assert "any emotion 4 0.500" in shown
    assert "over 5 speakers" in shown
    assert "not held: all neutral: no utterance is labelled neutral" in shown
    lines = (tmp_path / "list.csv").read_text().replace(",neutral,a", ",sad,a").splitlines()
    few = [line.replace(",sad,a", ",neutral,a") if line.startswith("a01") else line for line in lines]
    (tmp_path / "list.csv").write_text("\n".join(few) + "\n")
    shown = ser("enrolment", "dummy", *voices, "--clips", "4", "--draws", "1").stdout
    assert "not held: 4 neutral: speaker 'a' has fewer than two neutral clips" in " ".join(shown.split())
    few = [line.replace(",sad,a", ",neutral,a") if line[:3] in ("a01", "a02") else line for line in lines]
    (tmp_path / "list.csv").write_text("\n".join(few) + "\n")
    shown = " ".join(ser("enrolment", "dummy", *voices, "--clips", "2", "--draws", "1").stdout.split())
    assert "2 neutral: 1 speakers have fewer for some recording, at least 1, and give those; 2.0 in the mean" in shown


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--protocol", "random"), "random tests voices that were trained on"),
        (("--clips", "0"), "0 is not in the range"),
        (("--normalize", "speaker"), "No such option '--normalize'"),
    ],
)
def test_what_is_refused(voices: tuple[str, ...], more: tuple[str, ...], said: str) -> None:
    done = ser("enrolment", "dummy", *voices, *more)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_family_that_takes_columns_as_they_are(voices: tuple[str, ...]) -> None:
    done = ser("enrolment", "tail_encoder", *voices)
    assert done.returncode == 2
    assert "takes its columns as they were measured" in done.stderr


def test_another_seed_draws_other_clips(voices: tuple[str, ...]) -> None:
    def values(seed: int) -> list[float]:
        request = RunRequest(experiment="logreg_lld", root=voices[1], table=voices[3], seed=seed, jobs=1)
        steps = enrolment_curve(request, find(), clips=(1,), draws=1)
        return [step.value for step in itertools.islice(steps, 2)]

    first, again, other = values(0), values(0), values(1)
    assert first == again
    assert first[0] == other[0]
    assert first[1] != other[1]


def test_the_mean_over_draws_is_a_score(voices: tuple[str, ...]) -> None:
    where = {"root": voices[1], "table": voices[3], "log_run": False, "jobs": 1}
    one, two = (run_experiment("logreg_lld", overrides={"model.C": c}, **where).scored for c in (1e-4, 1.0))
    tables = [get_score("uar").on(told, "speaker") for told in (one, two)]
    both = GroupMeans.of(tables)
    assert len(both) == 5
    assert both.whole() == pytest.approx(np.mean([table.whole() for table in tables]))
    np.testing.assert_allclose(both.without_each(), (tables[0].without_each() + tables[1].without_each()) / 2)


def test_the_picture_has_a_line_for_each_kind() -> None:
    points = {"none": [("0", 0.6, 0.5, 0.7)], "neutral": [("1", 0.7, 0.6, 0.8), ("all", 0.8, 0.7, 0.9)]}
    figure = plot_enrolment(points, {"neutral": points["neutral"]}, ["0", "1", "all"], 0.25, "title", "UAR")
    above, below = figure.axes
    assert [text.get_text() for text in above.get_legend().get_texts()] == ["none", "neutral"]
    assert [tick.get_text() for tick in below.get_xticklabels()] == ["0", "1", "all"]
    (line,) = [line for line in above.lines if line.get_label() == "neutral"]
    assert [round(float(one), 2) for one in np.asarray(line.get_xdata())] == [1.0, 2.0]
