"""The price of a leak: a protocol where texts are new as well, and the ladder of protocols of one experiment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments.errors import InputError
from ser_experiments.evaluation.cutting import make_folds
from ser_experiments.evaluation.plots import plot_ladder
from ser_experiments.evaluation.tripwires import check_leaks
from tests.command import ser
from tests.iemocap_tree import tone

NAME = "leave-one-speaker-and-text-out"


def utterances(n_speakers: int = 4, n_texts: int = 6, **more: object) -> pd.DataFrame:
    rows = [
        {"speaker": f"s{s}", "text_id": f"t{t}", "label": label, "session": None}
        for s in range(n_speakers)
        for t in range(n_texts)
        for label in ("angry", "sad")
    ]
    index = pd.Index([f"u{i:03d}" for i in range(len(rows))], name="utterance_id")
    return pd.DataFrame(rows, index=index).assign(**more)


@pytest.mark.parametrize("n_splits", [2, 3, 5, 20])
def test_neither_the_speaker_nor_the_text_is_known(n_splits: int) -> None:
    table = utterances()
    folds = make_folds(table, NAME, n_splits=n_splits)
    assert len(folds.folds) == 4 * min(n_splits, 6)
    assert sorted(np.concatenate([fold.test for fold in folds.folds])) == list(range(len(table)))
    for fold in folds.folds:
        tested, trained = table.iloc[fold.test], table.iloc[fold.train]
        assert tested["speaker"].nunique() == 1
        assert not set(tested["speaker"]) & set(trained["speaker"])
        assert not set(tested["text_id"]) & set(trained["text_id"])
        # Nothing else is lost: the others said the other texts.
        assert len(trained) == 3 * (6 - tested["text_id"].nunique()) * 2
    check_leaks(folds, table)


def test_a_text_that_is_not_known_is_nobody_elses() -> None:
    table = utterances()
    table.loc[table["text_id"] == "t0", "text_id"] = None
    folds = make_folds(table, NAME, n_splits=3)
    gaps = table["text_id"].isna().to_numpy()
    assert any(gaps[fold.test].any() and gaps[fold.train].any() for fold in folds.folds)
    assert sorted(np.concatenate([fold.test for fold in folds.folds])) == list(range(len(table)))


def test_partners_of_a_session_are_kept_apart_too() -> None:
    table = utterances().assign(session=[f"room{i // 24}" for i in range(48)])
    for fold in make_folds(table, NAME, n_splits=2, shares_room=True).folds:
        assert not set(table["session"].iloc[fold.test]) & set(table["session"].iloc[fold.train])


def test_what_cannot_be_cut_by_texts_is_said() -> None:
    with pytest.raises(InputError, match=r"does not say what is said \(no text_id\)"):
        make_folds(utterances().drop(columns="text_id"), NAME)
    with pytest.raises(InputError, match="there is one text only"):
        make_folds(utterances(n_texts=1), NAME)


@pytest.fixture
def listed(tmp_path: Path, project_folder: Path) -> Path:
    """Write a manifest, and a table whose numbers know who says what in which emotion, and nothing else."""
    rng = np.random.default_rng(0)
    lines, rows = ["path,label,speaker,text_id"], {}
    for speaker in "abcde":
        for label in ("angry", "sad"):
            voice = rng.normal(size=6) * 8
            for text in range(6):
                path = f"{speaker}{label}{text}.wav"
                tone(tmp_path / path, len(lines), seconds=0.3)
                lines.append(f"{path},{label},{speaker},t{text}")
                rows[path] = voice + rng.normal(size=6)
    (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[f"x{i}" for i in range(6)])
    table.rename_axis("utterance_id").to_csv(tmp_path / "table.csv")
    return tmp_path


def test_the_ladder_shows_what_a_leak_is_worth(listed: Path) -> None:
    done = ser(
        "leaks", "logreg_lld", "--root", str(listed / "list.csv"), "--table", str(listed / "table.csv"), "--no-log",
        "--json", "--picture", str(listed / "ladder.png"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = {one["protocol"]: one for one in json.loads(done.stdout)}
    assert list(found) == ["random", "leave-one-speaker-out", "leave-one-session-out", NAME]
    assert found["random"]["value"] > 0.9
    assert found["random"]["fall"] is None
    assert found["leave-one-speaker-out"]["value"] < 0.85
    fall = found["leave-one-speaker-out"]["fall"]
    assert fall["value"] == pytest.approx(found["random"]["value"] - found["leave-one-speaker-out"]["value"])
    assert fall["n_groups"] == 5
    assert "no sessions are known" in found["leave-one-session-out"]["why_not"]
    assert (listed / "ladder.png").stat().st_size > 5000


@pytest.mark.slow
def test_the_ladder_is_logged_and_ends_elsewhere(listed: Path) -> None:
    here, there = listed / "list.csv", listed / "elsewhere" / "list.csv"
    rows = pd.read_csv(here)
    for place, path in enumerate(rows["path"]):
        tone(there.parent / path, 500 + place, seconds=0.3)
    rows.to_csv(there, index=False)
    done = ser("leaks", "dummy", "--corpus", f"manifest={here}", "--test-corpus", f"manifest={here}")
    assert done.returncode == 2
    assert "what is trained on, too" in done.stderr
    done = ser("leaks", "dummy", "--corpus", f"manifest={here}", "--test-corpus", f"manifest={there}")
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    assert "all new: another corpus" in shown
    assert "not held: protocol 'leave-one-session-out'" in shown
    assert "chance: 0.500; what is below the first is paired over 5 speakers" in shown
    boards = ser("compare", "--setting", f"{listed.name}-to-elsewhere-as-is-transfer", "--json")
    assert json.loads(boards.stdout)["n_utterances"] == len(rows)


@pytest.mark.slow
def test_rich_obeys_no_name_of_a_corpus(listed: Path) -> None:
    done = ser("leaks", "dummy", "--corpus", f"manifest={listed / 'list.csv'}", "--name", "[/x]", "--no-log")
    assert done.returncode == 0, done.stderr
    assert "dummy on [/x], what leaks most first" in done.stdout


def test_a_picture_names_every_protocol() -> None:
    figure = plot_ladder([("random", 0.9, 0.8, 1.0), ("speakers", 0.6, 0.5, 0.7)], 0.25, 1.0, "title", "UAR")
    (axis,) = figure.axes
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["random", "speakers"]
    assert {"0.900", "0.600"} <= {text.get_text() for text in axis.texts}
