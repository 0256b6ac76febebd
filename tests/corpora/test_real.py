"""EMO-DB and nEMO as released, on real recordings: those beside the checkout, as WAV under their own names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import soundfile

from ser_experiments.corpora import chosen, load_corpus, read_corpus

pytestmark = pytest.mark.speech


@pytest.fixture(scope="module", params=["emodb", "nemo"])
def released(
    request: pytest.FixtureRequest, speech_corpora: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, pd.DataFrame]:
    """Return a corpus, the root of a copy in the layout of its release, and what its list says."""
    folder, inside = {"emodb": ("emodb4", "wav"), "nemo": ("nemo_subset", "samples")}[request.param]
    listed = pd.read_csv(speech_corpora / folder / "metadata.csv", dtype=str)
    root = tmp_path_factory.mktemp(request.param)
    (root / inside).mkdir()
    for path in listed["path"]:
        samples, rate = soundfile.read(speech_corpora / folder / path, dtype="int16")
        soundfile.write(root / inside / f"{Path(path).stem}.wav", samples, rate, subtype="PCM_16")
    return request.param, root, listed.set_index(listed["path"].map(lambda path: Path(path).stem))


def test_what_is_read_is_what_its_list_says(released: tuple[str, Path, pd.DataFrame]) -> None:
    name, root, listed = released
    assert chosen(None, root) == name
    _, reading = read_corpus(name, root)
    table = reading.utterances
    assert set(table.index) == set(listed.index)
    for column in ("speaker", "gender", "emotion"):
        pd.testing.assert_series_equal(
            table[column], listed.loc[table.index, column], check_names=False, check_dtype=False
        )
    texts = table["text_id"] if name == "emodb" else "sent" + table["text_id"]
    assert (texts == listed.loc[table.index, "text_id"]).all()
    assert reading.notes == ()


def test_the_counts_are_those_of_the_subsets(released: tuple[str, Path, pd.DataFrame]) -> None:
    name, root, _ = released
    corpus = load_corpus(name, root, "4class")
    n_rows, n_speakers = {"emodb": (339, 10), "nemo": (576, 9)}[name]
    assert (len(corpus.utterances), corpus.utterances["speaker"].nunique()) == (n_rows, n_speakers)
    found = corpus.utterances["label"].value_counts().to_dict()
    if name == "emodb":
        assert found == {"angry": 127, "happy": 71, "neutral": 79, "sad": 62}
