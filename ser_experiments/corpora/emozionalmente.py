"""Emozionalmente: 431 amateurs, eighteen Italian sentences, seven emotions, recorded at home, with five votes a clip.

Layout: ``audio/1613655062436.wav`` and ``metadata/{samples,users,evaluations}.csv``. ``users.csv`` lists those who
spoke and those who judged.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd

from ser_experiments import identity
from ser_experiments.corpora._copy import Copy
from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._lists import check_columns, list_of_labels
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes
from ser_experiments.corpora._votes import counted, most
from ser_experiments.csvfile import read_csv

_WORDS = ("anger", "disgust", "fear", "joy", "neutrality", "sadness", "surprise")
_GENDERS = {"male": "m", "female": "f", "other": "other"}


def _labels(copy: Copy, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Take what was to be expressed, who spoke, and what listeners recognised, from the three lists."""
    samples = list_of_labels("emozionalmente", copy, ["samples.csv"], called="metadata/samples.csv")
    rows = _list(samples, "file_name", "emotion_expressed", "sentence", "actor")
    texts = rows["sentence"].map(lambda said: identity.of_lines([said.lower()], size=identity.SHORT))
    told = pd.DataFrame({"emotion": rows["emotion_expressed"], "speaker": rows["actor"], "text_id": texts})
    table = table.join(told)
    if users := copy.beside("users.csv"):
        who = _list(users, "username", "age", "gender")
        table = table.assign(
            gender=table["speaker"].map(who["gender"].str.lower().map(_GENDERS)), age=table["speaker"].map(who["age"])
        )
    if judged := copy.beside("evaluations.csv"):
        table = table.join(_votes(judged))
    return table, []


def _list(path: Path, key: str, *columns: str, twice: bool = False) -> pd.DataFrame:
    """Return a list by one of its columns, of files without their suffix; an InputError names a column it lacks."""
    rows = check_columns(path, read_csv(path), (key, *columns), "the list of Emozionalmente")
    rows = rows.set_index(rows[key].str.removesuffix(".wav"))
    return rows if twice else rows[~rows.index.duplicated()]


def _votes(path: Path) -> pd.DataFrame:
    """Return what listeners recognised in each clip."""
    rows = _list(path, "file_name", "emotion_recognized", twice=True)
    said = {clip: Counter(words) for clip, words in rows["emotion_recognized"].groupby(level=0)}
    found = {clip: {**counted(votes), "perceived_voice": most(votes)} for clip, votes in said.items()}
    return pd.DataFrame.from_dict(found, orient="index")


RELEASE = Release(
    name="emozionalmente",
    rule=r"audio/(?P<stem>\d{10,})",
    id="{stem}",
    layout="audio/1613655062436.wav and metadata/samples.csv",
    labels=_labels,
)

SPEC = CorpusSpec(
    name="emozionalmente",
    title="Emozionalmente: 431 amateurs, eighteen sentences, with the votes of listeners",
    licence="CC BY 4.0",
    citation="Catania (2022), Emozionalmente, a crowdsourced Italian emotional speech corpus, Zenodo 6569824",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes={
        "7class": own("7class", "ang dis fea hap neu sad sur", "all of the corpus, as it was to be expressed"),
        "perceived-voice": own(
            "perceived-voice",
            "ang dis fea hap neu sad sur",
            "what most listeners recognised, of metadata/evaluations.csv; ties are left out",
            column="perceived_voice",
        ),
        **schemes(),
    },
    expected=whole(dict.fromkeys(_WORDS, 986), speakers=431, texts=18),
    facts=Facts("Italian", "acted, by amateurs", 6902, 431, 6.305, "https://zenodo.org/records/6569824"),
)
