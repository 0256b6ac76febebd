"""Protocols, and the tripwires that hold them: each leak is planted and shown to fire."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments import plugins
from ser_experiments.errors import InputError, LeakError
from ser_experiments.evaluation.cutting import default_protocol, make_folds
from ser_experiments.evaluation.folds import Fold, Protocol, get_protocol, protocol_names
from ser_experiments.evaluation.tripwires import check_leaks

#: Every protocol, with a name behind a colon where it takes one.
NAMES = ["published:us" if name == "published" else name for name in protocol_names()]


def utterances(sessions: int = 5, each: int = 8, **columns: object) -> pd.DataFrame:
    rows = [
        {
            "speaker": f"{s}{letter}",
            "session": f"Session{s}",
            "label": "ab"[i % 2],
            "text_id": f"t{i // 2}",
            "side": "test" if s == 1 else "train",
            "partition": {1: "test", 2: "dev"}.get(s, "train"),
            "published_us": str(s % 2),
        }
        for s in range(1, sessions + 1)
        for letter in "FM"
        for i in range(each)
    ]
    table = pd.DataFrame(rows, index=pd.Index([f"u{i:03d}" for i in range(len(rows))], name="utterance_id"))
    return table.assign(**columns)


@pytest.mark.parametrize("protocol", NAMES)
@pytest.mark.parametrize("shares_room", [True, False])
def test_every_row_is_tested_once_and_no_tripwire_fires(protocol: str, shares_room: bool) -> None:
    table = utterances()
    folds = make_folds(table, protocol, shares_room=shares_room, assigned=table["session"])
    tested = np.sort(np.concatenate([fold.test for fold in folds.folds]))
    assert folds.partial or len(tested) == len(table)
    assert tested.tolist() == np.flatnonzero(folds.tested).tolist()
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


@pytest.mark.parametrize(
    ("protocol", "shares_room", "digest"),
    [
        ("leave-one-session-out", False, "80472d35f382"),
        ("leave-one-speaker-out", True, "3148adb788d8"),
        ("grouped-k-fold", False, "e45cf6d6970d"),
        ("grouped-k-fold", True, "3b888353eb6f"),
        ("random", False, "003102f73313"),
    ],
)
def test_the_folds_that_people_cite_stay(protocol: str, shares_room: bool, digest: str) -> None:
    folds = make_folds(utterances(), protocol, shares_room=shares_room)
    assert folds.digest == digest
    lines = sorted(f"{fold.name}\t{name}" for fold in folds.folds for name in folds.group.index[fold.test])
    assert digest == hashlib.blake2b("\n".join(lines).encode(), digest_size=6).hexdigest()


def test_folds_are_in_the_order_of_their_numbers() -> None:
    folds = make_folds(utterances(sessions=12), "grouped-k-fold", n_splits=11)
    assert [fold.name for fold in folds.folds] == [f"fold{i}" for i in range(1, 12)]


def test_every_protocol_says_what_it_is_under_its_own_name() -> None:
    assert len(NAMES) >= 4
    for name in NAMES:
        protocol = get_protocol(name)
        assert protocol.name == name
        table = utterances()
        folds = make_folds(table, name, assigned=table["session"])
        assert (folds.protocol, folds.unit, folds.leaky) == (name, protocol.unit, protocol.leaky)
        assert folds.words
    assert [name for name in NAMES if get_protocol(name).leaky] == ["random"]


def test_a_row_may_be_untested_only_where_the_protocol_says_so() -> None:
    table = utterances(sessions=2)
    rows = table.assign(group=table["session"])
    tested_in = table["session"].where(table["session"] == "Session1", "")
    whole = Protocol("whole", "session", cut=lambda utterances, options: folds)
    folds = whole.folds(rows, tested_in, "words")
    with pytest.raises(LeakError, match="16 tested rows for 32 utterances"):
        check_leaks(folds, table)
    partial = replace(whole, partial=True).folds(rows, tested_in, "words")
    check_leaks(partial, table)
    assert partial.tested.tolist() == (table["session"] == "Session1").tolist()
    (fold,) = partial.folds
    assert set(table["session"].iloc[fold.train]) == {"Session2"}
    leak = replace(partial, folds=[replace(fold, train=np.arange(len(table)))])
    with pytest.raises(LeakError, match="trains on rows that it tests"):
        check_leaks(leak, table)


def test_a_protocol_of_a_project_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "protocols" / "first_half.py"
    path.parent.mkdir()
    path.write_text(
        "from ser_experiments.evaluation.folds import Protocol\n"
        "def cut(utterances, options):\n"
        "    half = ['a' if i // 2 % 2 else 'b' for i in range(len(utterances))]\n"
        "    rows = utterances.assign(group=half)\n"
        "    return PROTOCOL.folds(rows, rows['group'], 'halves')\n"
        "PROTOCOL = Protocol('first-half', unit='speaker', cut=cut)\n"
    )
    plugins.use(tmp_path)
    try:
        folds = make_folds(utterances(), "first-half")
        assert (folds.protocol, folds.words, len(folds.folds)) == ("first-half", "halves", 2)
        with pytest.raises(LeakError, match="the same speaker"):
            check_leaks(folds, utterances())
    finally:
        plugins.use(None)


def test_default_protocol() -> None:
    assert default_protocol(utterances()) == "leave-one-session-out"
    assert default_protocol(utterances(session=None)) == "leave-one-speaker-out"


def test_random_has_speakers_on_both_sides() -> None:
    table = utterances()
    folds = make_folds(table, "random")
    assert set(table["speaker"].iloc[folds.folds[0].train]) & set(table["speaker"].iloc[folds.folds[0].test])


def test_the_same_folds_every_time() -> None:
    for protocol in NAMES:
        first, second = (make_folds(one, protocol, assigned=one["session"]) for one in (utterances(), utterances()))
        assert first.digest == second.digest


@pytest.mark.parametrize(
    ("table", "protocol", "message"),
    [
        (utterances(), "leave-one-sesion-out", "did you mean 'leave-one-session-out'"),
        (utterances(session=None), "leave-one-session-out", "no sessions are known"),
        (utterances(1), "leave-one-session-out", "everything is one group"),
        (utterances(2), "grouped-k-fold", "5 folds of 4 groups"),
        (utterances(label=["c"] * 3 + ["a"] * 77), "random", "random': 'c' has 3 utterances"),
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


def test_published_and_official_folds_are_read_from_the_corpus() -> None:
    table = utterances()
    official = make_folds(table, "official")
    (fold,) = official.folds
    assert set(table["session"].iloc[fold.test]) == {"Session1"}
    assert set(table["session"].iloc[fold.train]) == {f"Session{i}" for i in range(2, 6)}
    assert official.development is not None
    assert set(table["session"][official.development]) == set(table["session"][table["partition"] == "dev"])
    assert "tuned on the development side" in official.words
    published = make_folds(table, "published:us")
    assert [one.name for one in published.folds] == ["0", "1"]
    assert published.protocol == "published:us"
    assert set(table["session"].iloc[published.folds[0].test]) == {"Session2", "Session4"}
    # A cut that has sides instead of folds.
    sides = table.assign(published_them=table["partition"])
    assert make_folds(sides, "published:them").tested.tolist() == official.tested.tolist()


def test_published_folds_that_share_speakers_have_to_be_wanted() -> None:
    table = utterances()
    table["published_us"] = ["0", "0", "1", "1"] * (len(table) // 4)
    with pytest.raises(
        InputError, match=r"'published:us': speaker '1F' is in the folds 0, 1 \(10 speakers in several\)"
    ):
        make_folds(table, "published:us")
    leaky = make_folds(table, "published:us-leaky")
    assert leaky.leaky
    assert leaky.protocol == "published:us-leaky"
    check_leaks(leaky, table)
    assert all(len(fold.train) + len(fold.test) == len(table) for fold in leaky.folds)
    # Training and development may share speakers: both are trained on.
    table["published_us"] = np.where(table["session"] == "Session1", "test", ["train", "dev"] * (len(table) // 2))
    assert len(make_folds(table, "published:us").folds[0].train) == 64


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("published", "protocol 'published': say which: published:NAME"),
        ("published:them", "no folds 'them'"),
        ("random:x", "protocol 'random:x': it takes no name: random"),
        ("random-leaky", "protocol 'random' is not cut by somebody else"),
        ("leave-one-speaker-out-leaky", "'leave-one-speaker-out' is not cut by somebody else"),
        ("official:x", "it takes no name: official"),
    ],
)
def test_names_of_protocols_that_are_none(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_folds(utterances(), name)
    with pytest.raises(InputError, match="no official split"):
        make_folds(utterances(partition=None), "official")
    with pytest.raises(InputError, match="'published:us': 80 of 80 utterances are in none of its folds"):
        make_folds(utterances(published_us=None), "published:us")
