"""SUBESCO: twenty actors, ten Bangla sentences, seven emotions, five takes each.

Layout: ``F_02_MONIKA_S_2_SURPRISE_3.wav``: gender, number, name, sentence, emotion, take. Numbers begin anew for men.
"""

from __future__ import annotations

from collections.abc import Mapping

from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes

_WORDS = {
    "ANGRY": "angry",
    "DISGUST": "disgust",
    "FEAR": "fear",
    "HAPPY": "happy",
    "NEUTRAL": "neutral",
    "SAD": "sad",
    "SURPRISE": "surprise",
}
_FOLDS = {
    "1": ("F_03", "M_03", "M_08", "M_09"),
    "2": ("F_01", "F_04", "F_10", "M_07"),
    "3": ("F_06", "F_08", "M_05", "M_06"),
    "4": ("F_05", "F_07", "F_09", "M_04"),
    "5": ("F_02", "M_01", "M_02", "M_10"),
}


def _row(named: Mapping[str, str]) -> dict[str, object]:
    return {"speaker": f"{named['letter']}_{named['number']}", "gender": named["letter"].lower()}


RELEASE = Release(
    name="subesco",
    # One file of the release has a bracket before its suffix.
    rule=r"(?P<letter>[MF])_(?P<number>\d\d)_(?P<actor>[A-Z]+)_S_(?P<text_id>\d+)_(?P<emotion>[A-Z]+)_(?P<take>\d)\]?",
    id="{letter}_{number}_{actor}_S_{text_id}_{emotion}_{take}",
    layout="F_02_MONIKA_S_2_SURPRISE_3.wav",
    words=_WORDS,
    case={"letter": str.upper, "actor": str.upper},
    row=_row,
    published={"emobox": _FOLDS},
)

SPEC = CorpusSpec(
    name="subesco",
    title="SUBESCO: twenty actors, ten sentences",
    licence="CC BY 4.0",
    citation="Sultana et al. (2021), SUST Bangla emotional speech corpus (SUBESCO), PLoS ONE 16(4)",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(own("7class", "ang dis fea hap neu sad sur", "all of the corpus")),
    expected=whole(
        dict.fromkeys(_WORDS.values(), 1000),
        texts=10,
        speakers={f"{letter}_{number:02d}": 350 for letter in "FM" for number in range(1, 11)},
    ),
    facts=Facts("Bangla", "acted", 7000, 20, 7.832),
    published={"emobox": "EmoBox, five folds; no speaker is on both sides"},
)
