"""CREMA-D: 91 actors, twelve English sentences, six emotions, and what crowds heard and saw in each clip.

Layout, as in the repository: ``AudioWAV/1001_IEO_NEU_XX.wav``, ``processedResults/tabulatedVotes.csv``,
``VideoDemographics.csv``. The sound of MP3 files is taken only where there is no WAV. A clone without Git LFS holds
pointers instead of audio.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ser_experiments.corpora._copy import Copy
from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._lists import check_columns
from ser_experiments.corpora._released import MP3, Release
from ser_experiments.corpora._schemes import own, schemes
from ser_experiments.corpora._votes import counted, most
from ser_experiments.csvfile import read_csv

_WORDS = {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happiness", "NEU": "neutral", "SAD": "sadness"}
_VOTES = {code[0]: word for code, word in _WORDS.items()}
_TEXTS = "IEO|TIE|IOM|IWW|TAI|MTI|IWL|ITH|DFA|ITS|TSI|WSI"
_LEVELS = {"LO": "low", "MD": "medium", "HI": "high"}
#: By the thousands of hundreds of a row's number: what listeners were given.
_GIVEN = {1: "voice", 2: "face", 3: "av"}


def _actors(*spans: int | tuple[int, int]) -> tuple[str, ...]:
    """Return the names of actors, by numbers and by first and last number."""
    return tuple(
        str(one) for span in spans for one in (range(span[0], span[1] + 1) if isinstance(span, tuple) else [span])
    )


_TEST = _actors(1048, 1069, 1071, 1074, (1076, 1079), (1082, 1084), (1086, 1091))
_DEV = _actors(1049, (1053, 1055), 1058, 1059, (1061, 1068), 1070, 1075, 1080, 1085)
_ALL = _actors((1001, 1091))


def _told(copy: Copy, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Add what crowds said, and who the actors are, where the copy has it."""
    notes = []
    votes = copy.beside("tabulatedVotes.csv")
    if votes is None:
        notes.append("no processedResults/tabulatedVotes.csv: what was heard is not known, only what was acted")
    else:
        table = table.join(_votes(votes))
    people = copy.beside("VideoDemographics.csv")
    if people is None:
        notes.append("no VideoDemographics.csv: genders and ages are not known")
    else:
        who = read_csv(people).set_index("ActorID")
        table = table.assign(
            gender=table["speaker"].map(who["Sex"].str[:1].str.lower()), age=table["speaker"].map(who["Age"])
        )
    return table, notes


def _votes(path: Path) -> pd.DataFrame:
    """Return what was said of each clip: votes on the voice alone, and the majority on the voice and with the face."""
    rows = check_columns(path, read_csv(path), ("", "fileName", *_VOTES), "the tabulatedVotes.csv of CREMA-D")
    given = (rows[""].astype(int) // 100_000).map(_GIVEN)
    found: dict[str, dict[str, object]] = {}
    for name, modality, *cells in zip(rows["fileName"], given, *(rows[letter] for letter in _VOTES), strict=True):
        said = {word: int(cell) for word, cell in zip(_VOTES.values(), cells, strict=True)}
        row = found.setdefault(name, {})
        row[f"perceived_{modality}"] = most(said)
        if modality == "voice":
            row |= counted(said)
    return pd.DataFrame.from_dict(found, orient="index")


def _blocks(*lasts: int) -> dict[str, tuple[str, ...]]:
    """Return folds of actors with following numbers, by the last of each."""
    firsts = (1001, *(last + 1 for last in lasts))
    return {str(n): _actors(span) for n, span in enumerate(zip(firsts, lasts, strict=False), 1)}


RELEASE = Release(
    name="crema_d",
    rule=rf"(?P<speaker>10\d\d)_(?P<text_id>{_TEXTS})_(?P<emotion>{'|'.join(_WORDS)})_(?P<level>XX?|LO|MD|HI)",
    id="{speaker}_{text_id}_{emotion}_{level}",
    layout="AudioWAV/1001_IEO_NEU_XX.wav",
    words=_WORDS,
    case={"text_id": str.upper, "level": lambda level: "XX" if level.upper() == "X" else level.upper()},
    row=lambda named: {"intensity": _LEVELS.get(named["level"])},
    labels=_told,
    endings=MP3,
    bad={
        "1076_MTI_SAD_XX": "holds no sound at all",
        "1064_IEO_DIS_MD.mp3": "holds a minute of all emotions; its WAV is in order",
        "1064_TIE_SAD_XX.mp3": "is broken; its WAV is in order",
        "1076_MTI_NEU_XX.mp3": "is broken; its WAV is in order",
    },
    published={
        "emosuperb": _blocks(1018, 1036, 1054, 1072, 1091),
        "audeering": {"train": tuple(one for one in _ALL if one not in {*_TEST, *_DEV}), "dev": _DEV, "test": _TEST},
        "peft_ser": {"train": _actors((1001, 1058)), "dev": _actors((1059, 1073)), "test": _actors((1074, 1091))},
    },
)

_HEARD = "what most listeners named, of processedResults/tabulatedVotes.csv; ties are left out"
SPEC = CorpusSpec(
    name="crema_d",
    title="CREMA-D: 91 actors, twelve sentences, with the votes of listeners",
    licence="ODbL 1.0, contents DbCL 1.0",
    citation="Cao et al. (2014), CREMA-D: crowd-sourced emotional multimodal actors dataset, IEEE TAC 5(4):377-390",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes={
        "6class": own("6class", "ang dis fea hap neu sad", "what was acted, as in most code"),
        "perceived-voice": own(
            "perceived-voice", "ang dis fea hap neu sad", f"from the voice alone, {_HEARD}", column="perceived_voice"
        ),
        "perceived-av": own(
            "perceived-av", "ang dis fea hap neu sad", f"from voice and face, {_HEARD}", column="perceived_av"
        ),
        **schemes(common="4class"),
    },
    expected=whole(
        # Less the clip that holds no sound.
        dict.fromkeys(("anger", "disgust", "fear", "happiness"), 1271) | {"sadness": 1270, "neutral": 1087},
        speakers=dict.fromkeys(_ALL, 82) | {"1002": 81, "1008": 76, "1009": 76, "1019": 76, "1076": 80},
        texts=12,
        intensity=dict.fromkeys(_LEVELS.values(), 455),
    ),
    facts=Facts("English (American)", "acted", 7441, 91, 5.257, "https://github.com/CheyneyComputerScience/CREMA-D"),
    published={
        "emosuperb": "EMO-SUPERB, five blocks of actors; the next block is its dev",
        "audeering": "audEERING 1.1.0, train, dev and test by speaker",
        "peft_ser": "PEFT-SER, train, dev and test by speaker",
    },
)
