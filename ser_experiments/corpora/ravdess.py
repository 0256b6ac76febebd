"""RAVDESS: 24 actors speak and sing two English sentences in eight emotions.

Layout: ``Audio_Speech_Actors_01-24/Actor_01/03-01-01-01-01-01-01.wav`` and ``Audio_Song_Actors_01-24/...`` with 02 in
the second place. The copies of Kaggle hold every actor twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import together, whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes

_ALL = "ang cal dis fea hap neu sad sur"
_STEREO = "is stereo, where the others are mono"


def _row(named: Mapping[str, str]) -> dict[str, object]:
    return {
        "gender": "m" if int(named["speaker"]) % 2 else "f",
        "scenario": {"1": "speech", "2": "song"}[named["channel"]],
        "intensity": {"1": "normal", "2": "strong"}[named["level"]],
    }


RELEASE = Release(
    name="ravdess",
    rule=r"03-0(?P<channel>[12])-(?P<emotion>0[1-8])-0(?P<level>[12])-(?P<text_id>0[12])-(?P<repetition>0[12])"
    r"-(?P<speaker>[01]\d|2[0-4])",
    id="03-0{channel}-{emotion}-0{level}-{text_id}-{repetition}-{speaker}",
    layout="Audio_Speech_Actors_01-24/Actor_01/03-01-01-01-01-01-01.wav",
    words={
        "01": "neutral",
        "02": "calm",
        "03": "happy",
        "04": "sad",
        "05": "angry",
        "06": "fearful",
        "07": "disgust",
        "08": "surprised",
    },
    row=_row,
    apart={r"(^|/)0[12]-0[12](-0\d){2}-0[12]-0[12]-\d\d\.": "the sound of videos, which the audio files repeat"},
    odd={
        "03-01-02-01-01-02-01": _STEREO,
        "03-01-08-01-02-02-01": _STEREO,
        "03-01-02-01-02-02-05": _STEREO,
        "03-01-03-01-02-01-20": _STEREO,
        "03-01-06-01-01-02-20": _STEREO,
        "03-01-03-01-02-02-07": "is the recording 03-01-03-01-02-01-07 once more, of the same actor",
    },
    published={
        "emobox": {
            "1": ("01", "11", "20", "21"),
            "2": ("04", "10", "12", "14"),
            "3": ("08", "09", "19", "23"),
            "4": ("03", "05", "07", "24"),
            "5": ("02", "15", "16", "18"),
            "6": ("06", "13", "17", "22"),
        },
        "audeering": {
            "train": (*(f"{one:02d}" for one in range(1, 16)), "18"),
            "dev": ("16", "17", "19", "20"),
            "test": ("21", "22", "23", "24"),
        },
    },
)

SPEC = CorpusSpec(
    name="ravdess",
    title="RAVDESS: 24 actors speak and sing two sentences",
    licence="CC BY-NC-SA 4.0",
    citation="Livingstone & Russo (2018), The Ryerson audio-visual database of emotional speech and song, PLoS ONE",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(
        own("8class", _ALL, "all of the corpus; nobody sings disgusted or surprised"),
        own("7class", _ALL, "calm counts as neutral", cal="neutral"),
    ),
    subsets=("all", "speech", "song"),
    expected=together(
        whole(
            dict.fromkeys(("calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"), 192) | {"neutral": 96},
            speakers=24,
            by=("scenario", "speech"),
            gender={"m": 720, "f": 720},
            text_id={"01": 720, "02": 720},
        ),
        whole(
            dict.fromkeys(("calm", "happy", "sad", "angry", "fearful"), 184) | {"neutral": 92},
            speakers=23,
            by=("scenario", "song"),
        ),
    ),
    facts=Facts("English (North American)", "acted", 2452, 24, homepage="https://zenodo.org/records/1188976"),
    published={
        "emobox": "EmoBox, six folds; no speaker is on both sides",
        "audeering": "audEERING 1.1.0, train, dev and test by speaker",
    },
)
