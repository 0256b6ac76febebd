"""Protocols, and the tripwires that hold them: each leak is planted and shown to fire."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ser_experiments.errors import InputError, LeakError
from ser_experiments.evaluation.folds import PROTOCOLS, Fold, default_protocol, make_folds
from ser_experiments.evaluation.tripwires import check_leaks


def utterances(sessions: int = 5, each: int = 8, **columns: object) -> pd.DataFrame:
    rows = [
        {"speaker": f"{s}{letter}", "session": f"Session{s}", "label": "ab"[i % 2]}
        for s in range(1, sessions + 1)
        for letter in "FM"
        for i in range(each)
    ]
    table = pd.DataFrame(rows, index=pd.Index([f"u{i:03d}" for i in range(len(rows))], name="utterance_id"))
    return table.assign(**columns)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("shares_room", [True, False])
def test_every_row_is_tested_once_and_no_tripwire_fires(protocol: str, shares_room: bool) -> None:
    table = utterances()
    folds = make_folds(table, protocol, shares_room=shares_room)
    tested = np.sort(np.concatenate([fold.test for fold in folds.folds]))
    assert tested.tolist() == list(range(len(table)))
    check_leaks(folds, table, pd.Series([f"d{i}" for i in range(len(table))], index=table.index))


def test_leave_one_session_out() -> None:
    folds = make_folds(utterances(), "leave-one-session-out")
    assert [fold.name for fold in folds.folds] == [f"Session{i}" for i in range(1, 6)]
    assert folds.unit == "session"


def test_leave_one_speaker_out_drops_the_partner_where_the_room_is_shared() -> None:
    table = utterances()
    shared = make_folds(table, "leave-one-speaker-out", shares_room=True)
    assert len(shared.folds) == 10
    for fold in shared.folds:
        assert table["session"].iloc[fold.test[0]] not in set(table["session"].iloc[fold.train])
    apart = make_folds(table, "leave-one-speaker-out")
    assert len(apart.folds[0].train) == len(table) - 8


def test_a_speaker_in_two_sessions_joins_them() -> None:
    table = utterances()
    table.loc[table["speaker"] == "2F", "speaker"] = "1F"
    folds = make_folds(table, "leave-one-session-out")
    assert [fold.name for fold in folds.folds] == ["Session1+Session2", "Session3", "Session4", "Session5"]
    check_leaks(folds, table)


def test_default_protocol() -> None:
    assert default_protocol(utterances()) == "leave-one-session-out"
    assert default_protocol(utterances(session=None)) == "leave-one-speaker-out"


def test_random_has_speakers_on_both_sides() -> None:
    table = utterances()
    folds = make_folds(table, "random")
    assert set(table["speaker"].iloc[folds.folds[0].train]) & set(table["speaker"].iloc[folds.folds[0].test])


def test_the_same_folds_every_time() -> None:
    for protocol in PROTOCOLS:
        assert make_folds(utterances(), protocol).digest == make_folds(utterances(), protocol).digest


@pytest.mark.parametrize(
    ("table", "protocol", "message"),
    [
        (utterances(), "leave-one-sesion-out", "did you mean 'leave-one-session-out'"),
        (utterances(session=None), "leave-one-session-out", "no sessions are known"),
        (utterances(1), "leave-one-session-out", "everything is one group"),
        (utterances(2), "grouped-k-fold", "5 folds of 4 groups"),
        (utterances(label=["c"] * 3 + ["a"] * 77), "random", "class 'c' has 3 utterances"),
        (utterances(label=["c"] * 8 + ["a", "b"] * 36), "leave-one-session-out", "fold 'Session1' have no 'c'"),
    ],
)
def test_refused(table: pd.DataFrame, protocol: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_folds(table, protocol)


def test_tripwire_speaker_on_both_sides() -> None:
    table = utterances()
    folds = make_folds(table, "leave-one-session-out")
    table.loc["u000", "speaker"] = "5M"
    with pytest.raises(LeakError, match=r"tests 'u000' while it trains on .*same speaker '5M'"):
        check_leaks(folds, table)


def test_tripwire_recording_on_both_sides_even_under_random() -> None:
    table = utterances()
    digests = pd.Series([f"d{i}" for i in range(len(table))], index=table.index)
    digests["u000"] = digests["u079"]
    for protocol in ("leave-one-session-out", "random"):
        with pytest.raises(LeakError, match="the same recording; remove one of the copies"):
            check_leaks(make_folds(table, protocol), table, digests)


def test_tripwire_utterance_twice() -> None:
    table = utterances()
    folds = make_folds(table, "random")
    table.index = ["u000", *table.index[:-1]]
    with pytest.raises(LeakError, match="'u000' stands in the table twice"):
        check_leaks(folds, table)


def test_tripwire_row_tested_twice_and_row_on_both_sides() -> None:
    table = utterances()
    folds = make_folds(table, "random")
    twice = replace(folds, folds=[*folds.folds, folds.folds[0]])
    with pytest.raises(LeakError, match="each must be tested once"):
        check_leaks(twice, table)
    first = folds.folds[0]
    both = replace(folds, folds=[Fold(first.name, np.arange(len(table)), first.test), *folds.folds[1:]])
    with pytest.raises(LeakError, match="trains on rows that it tests"):
        check_leaks(both, table)
