"""What is known of encoders by name, and what the command says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ser_experiments import plugins
from ser_experiments.errors import InputError
from ser_experiments.features import get_extractor
from ser_experiments.features.encoders import hub
from ser_experiments.features.encoders.catalogue import catalogue, names_corpus, trained_on
from ser_experiments.features.encoders.checkpoint import Checkpoint
from ser_experiments.features.encoders.family import family_of
from tests.checkpoints import COMMIT, tiny_whisper
from tests.command import program, ser


def test_all_of_them_can_be_read() -> None:
    known = catalogue()
    assert {"openai/whisper-base", "microsoft/wavlm-large", "facebook/w2v-bert-2.0"} <= known.keys()
    for name, one in known.items():
        assert hub.parse(name) == (name, None)
        assert one.family in family_of(one.family, name).model_types
        assert one.layers >= 4
        assert one.width % 64 == 0
        assert one.parameters > 5
        assert all((one.languages, one.licence, one.heard))


def test_emotions_are_known_by_id() -> None:
    assert trained_on("audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim@main") == ("msp-podcast",)
    assert trained_on(f"superb/hubert-large-superb-er@{COMMIT}") == ("iemocap",)
    assert trained_on("openai/whisper-base") == trained_on("/somewhere/else") == ()
    assert names_corpus(("MSP-Podcast", "iemocap"), "msp_podcast")
    assert not names_corpus(("msp-podcast",), "podcast")


def test_a_default_of_the_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "superb/hubert-large-superb-er"
    base = tmp_path / f"models--{name.replace('/', '--')}"
    tiny_whisper(base / "snapshots" / COMMIT)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    given = f"{name}@{COMMIT}"
    assert get_extractor("encoder", model=given, layers=1).params["trained_on"] == ["iemocap"]
    assert get_extractor("encoder", model=given, layers=1, trained_on=["x"]).params["trained_on"] == ["x"]
    # It says where scores are worth nothing, and changes no number.
    assert len({get_extractor("encoder", model=given, layers=1, trained_on=one).digest for one in ([], ["x"])}) == 1
    for wrong in ("iemocap", [3], 3):
        with pytest.raises(InputError, match="trained_on must be a list of corpora"):
            get_extractor("encoder", model=given, layers=1, trained_on=wrong)


def test_list(project_folder: Path) -> None:
    rows = json.loads(ser("encoders", "list", "--json").stdout)
    assert rows.keys() == catalogue().keys()
    assert rows["openai/whisper-base"]["here"].endswith(COMMIT)
    assert rows["openai/whisper-small"]["here"] is None
    out = ser("encoders", "list").stdout
    assert "openai/whisper-base (here): whisper, 6 layers of 512, 20.6 M parameters" in out
    assert "trained on emotions of iemocap" in out


def test_describe(tmp_path: Path, project_folder: Path) -> None:
    folder = tiny_whisper(tmp_path / "tiny")
    told = json.loads(ser("encoders", "describe", str(folder), "--json").stdout)
    checkpoint = Checkpoint(folder)
    assert told == {
        "model": str(folder),
        "family": "whisper",
        "layers": 3,
        "width": 16,
        "sample_rate": 16_000,
        "parameters": checkpoint.n_weights,
        "bytes": 2 * checkpoint.n_weights,
        "digest": checkpoint.digest,
        "folder": str(folder),
        "trained_on": [],
    }
    assert f"digest      {checkpoint.digest}\n" in ser("encoders", "describe", str(folder)).stdout
    done = ser("encoders", "describe", "openai/whisper-small")
    assert done.returncode == 2
    assert done.stderr == (
        "error: encoder openai/whisper-small: not on this machine; say ser encoders pull openai/whisper-small\n"
    )


def test_listing_imports_nothing_heavy(project_folder: Path) -> None:
    done = program("encoders", "list", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    assert not {"torch", "transformers", "huggingface_hub", "pandas"} & {
        line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()
    }


def test_a_family_of_a_project(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    (folder / "encoders").mkdir(parents=True)
    source = Path(plugins.__file__).parent / "features" / "encoders" / "families" / "whisper.py"
    mine = source.read_text().replace('model_types=("whisper",)', 'model_types=("mine",)')
    (folder / "encoders" / "mine.py").write_text(mine)
    model = tiny_whisper(tmp_path / "model")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"model_type": "mine"}))
    plugins.use(folder)
    try:
        assert Checkpoint(model).n_layers == 3
    finally:
        plugins.use(None)
