"""MSP-IMPROV: twelve speakers in six dyadic sessions, improvised, read and natural turns, with the votes of crowds.

Layout: ``sessionK/S01A/S/MSP-IMPROV-S01A-F01-S-FM01.wav`` and ``Evaluation.txt``, which some copies spell
``Evalution.txt`` and in which recordings are called ``UTD-IMPROV-...avi``. Who speaks is the second part of a name, not
the last.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ser_experiments.corpora._copy import Copy
from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._lists import list_of_labels, without_recording
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import schemes
from ser_experiments.corpora._votes import counted
from ser_experiments.errors import InputError
from ser_experiments.files import read_bytes

_WORDS = {"A": "anger", "H": "happiness", "S": "sadness", "N": "neutral", "O": "other", "X": "xxx"}
_NUMBERS = {"A": "activation", "V": "valence", "D": "dominance"}
_HEAD = re.compile(
    r"^\s*(?:UTD|MSP)-IMPROV-(?P<turn>S\d\d[AHSN]-[FM]\d\d-[PRST]-[FM]{2}\d\d)\.\w+\s*;\s*(?P<code>\w+)\s*;"
)
_NUMBER = re.compile(r"\b([AVD])\s*:\s*(NaN|[\d.]+)", re.IGNORECASE)


def _row(named: Mapping[str, str]) -> dict[str, object]:
    return {
        "gender": named["speaker"][0].lower(),
        "session": f"Session{int(named['speaker'][1:])}",
        "intended": _WORDS[named["target"]],
    }


def _labels(copy: Copy, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Take what the crowd said of each turn."""
    path = list_of_labels("msp_improv", copy, ("Evaluation.txt", "Evalution.txt"))
    told = _turns(path)
    if told.empty:
        raise InputError(
            f"{path}: no turn in it; expected lines such as 'UTD-IMPROV-S01A-F01-S-FM01.avi; N; A:3.0; ...'"
        )
    notes = without_recording("labelled turns", told.index, table)
    by_word = told.groupby("emotion")["activation"].mean()
    if by_word.get("anger", math.inf) < by_word.get("sadness", -math.inf):
        told["activation"] = 6 - told["activation"]
        notes.append("activation runs downward in this copy (anger is below sadness): it is turned over, 6 - x")
    return table.join(told), notes


def _turns(path: Path) -> pd.DataFrame:
    """Return what is said of each turn: the crowd's code, the means of the attributes, and the votes."""
    turns: dict[str, dict[str, object]] = {}
    votes: dict[str, dict[str, None]] = {}
    current = ""
    for line in read_bytes(path).decode("utf-8-sig", errors="replace").splitlines():
        head = _HEAD.match(line)
        if head:
            current = f"MSP-IMPROV-{head['turn']}"
            numbers = {letter.upper(): float(text) for letter, text in _NUMBER.findall(line)}
            turns[current] = {name: numbers.get(letter, math.nan) for letter, name in _NUMBERS.items()}
            turns[current]["emotion"] = _WORDS.get(head["code"].upper())
        elif not line.strip():
            current = ""
        elif current and line.count(";") >= 2:
            # One rater a line; some lines are there twice.
            votes.setdefault(current, {})[line.strip()] = None
    for turn, lines in votes.items():
        words = Counter(line.split(";")[1].strip().lower() for line in lines)
        turns[turn] |= counted(words)
    return pd.DataFrame.from_dict(turns, orient="index")


RELEASE = Release(
    name="msp_improv",
    rule=r"MSP-IMPROV-S(?P<text_id>\d\d)(?P<target>[AHSN])-(?P<speaker>[FM]\d\d)-(?P<scenario>[PRST])-"
    r"(?P<pair>[FM]{2})(?P<turn>\d\d)",
    id="MSP-IMPROV-S{text_id}{target}-{speaker}-{scenario}-{pair}{turn}",
    layout="session1/S01A/S/MSP-IMPROV-S01A-F01-S-FM01.wav and Evaluation.txt",
    case=dict.fromkeys(("target", "speaker", "scenario", "pair"), str.upper),
    row=_row,
    labels=_labels,
    published={"emosuperb": {str(fold): (f"F0{one}", f"M0{one}") for fold, one in enumerate((4, 3, 2, 1, 6, 5), 1)}},
)

SPEC = CorpusSpec(
    name="msp_improv",
    title="MSP-IMPROV: twelve speakers in six dyadic sessions, with the votes of crowds",
    licence="academic, by agreement with the University of Texas at Dallas",
    citation="Busso et al. (2017), MSP-IMPROV: an acted corpus of dyadic interactions, IEEE TAC 8(1):67-80",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(common="4class"),
    subsets=("all", "P", "R", "S", "T"),
    shares_room=True,
    expected=whole({}, n_utterances=8438, speakers=12),
    facts=Facts("English (American)", "elicited, acted and natural", 8438, 12),
    published={"emosuperb": "EMO-SUPERB, each session left out once; the next is its dev"},
)
