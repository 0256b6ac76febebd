"""`ser protocol`, `ser verify`, `ser check` and `ser compare` as they are typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments.evaluation.card import read_card
from tests.command import ser


@pytest.fixture
def manifest(project_folder: Path) -> Path:
    """Write a manifest of four speakers whose files are there and empty: nothing here reads audio."""
    folder = project_folder / "mine"
    folder.mkdir()
    rows = [f"{s}_{i}.wav,0{s},{e},t{i}" for s in range(4) for i, e in enumerate(["anger", "neutral", "sadness"] * 2)]
    for row in rows:
        (folder / row.split(",", maxsplit=1)[0]).touch()
    (folder / "metadata.csv").write_text("\n".join(["path,speaker,emotion,text_id", *rows, ""]))
    return folder


@pytest.mark.parametrize("name", ["compare", "protocol", "verify", "check"])
def test_help_is_light(project_folder: Path, name: str) -> None:
    code = (
        "import sys\nfrom ser_experiments.cli import main\n"
        f"sys.argv = ['ser', '{name}', '--help']\n"
        "try:\n    main()\nfinally:\n"
        "    print([m for m in ('mlflow', 'torch', 'sklearn', 'pandas') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == "[]\n"
    assert "Usage: ser" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare",), "no finished runs in the store"),
        (("compare", "--metric", "uarr"), "unknown metric 'uarr'; did you mean 'uar'"),
        (("protocol", "--import", "none.json"), "none.json: no such file"),
        (("protocol", "--corpus", "iemocp"), "did you mean 'iemocap'"),
        (("protocol", "--corpus", "manifest", "--root", "mine", "--protocol", "grouped"), "unknown protocol 'grouped'"),
        (("protocol", "--corpus", "manifest", "--root", "mine", "--export", "no/card.json"), "cannot be written"),
        (("verify", "p.csv"), "p.csv: no such file"),
        (("verify", "p.csv", "--card", "none.json"), "none.json: no such file"),
        (("check", "xgb_ldd"), "did you mean 'xgb_lld'"),
        (("check", "xgb_lld", "--permutations", "5"), "--permutations"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(manifest: Path, arguments: tuple[str, ...], message: str) -> None:
    done = ser(*arguments)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_card_travels(manifest: Path) -> None:
    here = ("--corpus", "manifest", "--root", str(manifest))
    done = ser("protocol", *here, "--protocol", "grouped-k-fold", "--folds", "2", "--export", "card.json")
    assert done.returncode == 0, done.stderr
    card = read_card("card.json")
    assert card.digest in done.stdout
    assert "100% of 24 tested rows have a text that also occurs in training" in done.stdout
    shown = json.loads(ser("protocol", *here, "--json").stdout)
    assert shown["counts"]["utterances"] == 24
    assert shown["setting"]["protocol"] == "leave-one-speaker-out"
    # Labels, protocol, number of folds and the corpus's name are taken from the card.
    moved = manifest.rename(manifest.parent / "elsewhere")
    same = ser("protocol", "--import", "card.json", "--root", str(moved))
    assert same.returncode == 0, same.stderr
    assert "same card as card.json" in same.stdout
    listing = moved / "metadata.csv"
    listing.write_text(listing.read_text().replace("0_0.wav,00,anger", "0_0.wav,00,neutral"))
    other = ser("protocol", "--import", "card.json", "--root", str(moved))
    assert other.returncode == 1
    assert "differs: label differs for 1 utterances, e.g. '0_0.wav'" in other.stdout
    wrong = json.loads(ser("protocol", "--import", "card.json", "--root", str(moved), "--json").stdout)
    assert len(wrong["differences"]) == 1


def test_anybodys_predictions_are_scored(manifest: Path) -> None:
    ser("protocol", "--corpus", "manifest", "--root", str(manifest), "--export", "card.json")
    card = read_card("card.json")
    frame = pd.DataFrame({"predicted": card.rows["label"], "fold": card.rows["fold"]})
    frame.iloc[:2, 0] = "sadness"
    frame.to_csv("mine.csv")
    done = ser("verify", "mine.csv", "--card", "card.json")
    assert done.returncode == 0, done.stderr
    recalls = [np.mean(frame["predicted"][card.rows["label"] == c] == c) for c in card.classes]
    assert f"UAR {np.mean(recalls):.3f} (95 % interval" in done.stdout
    assert json.loads(ser("verify", "mine.csv", "--card", "card.json", "--json").stdout)["card"] == card.digest
    frame.assign(fold=frame["fold"].to_numpy()[::-1]).iloc[:-1].to_csv("fewer.csv")
    fewer = ser("verify", "fewer.csv", "--card", "card.json")
    assert (fewer.returncode, fewer.stderr.count("\n")) == (2, 1)
    mixed = frame["fold"].to_numpy(dtype=object).copy()
    mixed[0] = mixed[-1]
    frame.assign(fold=mixed).to_csv("mixed.csv")
    leak = ser("verify", "mixed.csv", "--card", "card.json")
    assert leak.returncode == 1
    assert leak.stderr.startswith("error: leak: ")


@pytest.mark.slow
@pytest.mark.speech
def test_on_real_speech(project_folder: Path, speech_corpora: Path) -> None:
    """Run, compare, verify and check on recordings, one after the other."""
    here = ("--corpus", "manifest", "--root", str(speech_corpora / "emodb4"))
    for name in ("svm_lld", "dummy"):
        run = ser("run", name, *here, "--json")
        assert run.returncode == 0, run.stderr
    board = json.loads(ser("compare", "--json").stdout)
    assert [row["experiment"] for row in board["runs"]] == ["svm_lld", "dummy"]
    assert board["runs"][1]["difference_high"] < -0.3
    stored = next(p for p in project_folder.rglob("predictions.csv") if board["runs"][0]["run_id"] in str(p))
    pictures = {path.name for path in stored.parent.joinpath("plots").iterdir()}
    assert {"speaker_uar.png", "reliability.png", "table_map.png", "importance.png"} <= pictures
    ser("protocol", *here, "--export", "card.json")
    verdict = json.loads(ser("verify", str(stored), "--card", "card.json", "--json").stdout)
    assert verdict["metrics"]["uar"] == pytest.approx(board["runs"][0]["uar"], abs=1e-9)
    assert verdict["notes"] == []
    check = ser("check", "svm_lld", *here, "--json")
    found = json.loads(check.stdout)
    assert check.stderr.count("shuffled") == 20
    assert found["p_value"] == pytest.approx(1 / 21)
    assert found["shuffled_mean"] == pytest.approx(0.25, abs=0.05)
    assert not found["above_chance"]
