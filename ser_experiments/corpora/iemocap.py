"""IEMOCAP, the interactive emotional dyadic motion capture database.

Twelve hours of dialog between a woman and a man in each of five sessions, improvised and scripted, cut into 10,039
utterances with the categories and the valence, activation and dominance of several raters.

Layout, as unpacked (``root`` is this folder or its parent)::

    Session{1..5}/dialog/EmoEvaluation/<dialog>.txt      labels
    Session{1..5}/dialog/transcriptions/<dialog>.txt     words (may be missing)
    Session{1..5}/sentences/wav/<dialog>/<utterance>.wav 16 kHz mono 16 bit

Copies in Parquet are read, too: see :mod:`ser_experiments.corpora._iemocap_parquet`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd

from ser_experiments import identity
from ser_experiments.corpora import _iemocap_parquet
from ser_experiments.corpora._corpus import CorpusSpec, Reading
from ser_experiments.corpora._demo import MARKER
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._iemocap_counts import expected
from ser_experiments.corpora._iemocap_turns import RATERS, lines_of, listed, of_name, turns_of
from ser_experiments.corpora._names import stem_of
from ser_experiments.corpora._options import Option
from ser_experiments.corpora._schemes import SCHEMES
from ser_experiments.errors import InputError, nearest

_OUTSIDE = "external"
_WHOSE = {"self": "the speakers themselves", "all": "raters from outside and of the speakers themselves"}
#: What the readers of this layout can be told.
RATERS_OPTION = Option("raters", str, f"Whose words are votes: {', '.join(RATERS)}; by default {_OUTSIDE}.")
_SPOKEN = re.compile(r"^(\S+)\s+\[[^\]]*\]:\s*(.*)$")
_SESSIONS = range(1, 6)
#: What a copy in Parquet is called in results: its labels are not those of the release.
PARQUET = "iemocap-parquet"


def read(root: Path, *, raters: str = "external") -> Reading:
    """Read labels, raters and paths of a whole or partial copy.

    Parameters
    ----------
    root : Path
        ``IEMOCAP_full_release``, a folder up to two levels above it, or a folder of Parquet files.
    raters : {"external", "self", "all"}
        Whose words count as ``votes``: those of the raters from outside, whose majority is the code; the speakers' own
        reports; or both.

    Returns
    -------
    Reading
        All utterances that have both a label and a recording; the columns besides the usual ones are ``emotion``
        (the majority code), ``dialog``, ``scenario``, ``valence``, ``activation``, ``dominance`` (1-5, as in the
        files), ``votes`` (the raters' words, counted), ``n_raters``, ``agreement`` (the share of these raters who named
        the majority code, or without one what was named most) and ``text_id`` (a digest of the words).

    Raises
    ------
    InputError
        The root holds no session, or is the demo, which only looks like it; or no utterance has label and recording.
        There are no such raters, or the copy does not tell them apart.
    """
    _check_raters(raters)
    if root.is_dir() and _release(root) is None and (files := _iemocap_parquet.parts(root)):
        if raters != _OUTSIDE:
            raise InputError(f"corpus 'iemocap': {root}: Parquet files do not tell who voted; leave --raters out")
        return _read_parquet(root, files)
    return read_release(_find_release(root), raters=raters)


def _read_parquet(root: Path, files: list[Path]) -> Reading:
    """Read a copy in Parquet: who speaks is in the name of a turn, as everywhere."""
    table = _iemocap_parquet.turns(root, files, of_name)
    note = (
        f"{len(table)} turns of Parquet files: labels are what most raters named, not the codes of the release, and "
        "the counts of classes differ; votes are shares, without how many voted and who; the recordings were put into "
        "the cache"
    )
    return Reading(PARQUET, root, table, (note, *_out_of_scale(table)))


def read_release(release: Path, *, raters: str = "external") -> Reading:
    """Read what has the layout of the release; as :func:`read`."""
    _check_raters(raters)
    rows: list[dict[str, object]] = []
    notes: list[str] = [f"votes are those of {_WHOSE[raters]}"] if raters != _OUTSIDE else []
    unlabelled = 0
    for number in _SESSIONS:
        session = release / f"Session{number}"
        if not session.is_dir():
            notes.append(f"Session{number} is missing: this copy is not complete")
            continue
        turns, problems = turns_of(session / "dialog" / "EmoEvaluation", raters)
        notes += problems
        wavs = _wavs(session / "sentences" / "wav")
        if not turns:
            notes.append(f"Session{number} has no labels: no turn in dialog/EmoEvaluation/*.txt; it is left out")
        words = _transcripts(session / "dialog" / "transcriptions")
        unlabelled += len(wavs.keys() - turns.keys())
        silent = sorted(turns.keys() - wavs.keys())
        if silent:
            notes.append(f"Session{number}: {len(silent)} labelled turns have no recording, e.g. {silent[0]}")
        rows += [
            {**turns[turn], "path": str(wavs[turn]), "text_id": words.get(turn)}
            for turn in sorted(turns.keys() & wavs.keys())
        ]
    if not rows:
        raise InputError(
            f"corpus 'iemocap': no utterance with both label and recording under {release}; expected "
            "Session*/dialog/EmoEvaluation/*.txt and Session*/sentences/wav/*/*.wav"
        )
    if unlabelled:
        notes.append(f"{unlabelled} recordings have no label and are left out")
    table = pd.DataFrame(rows).set_index("utterance_id")
    notes += _out_of_scale(table)
    return Reading("iemocap", release, table, tuple(notes))


def recognises(root: Path) -> bool:
    """Tell whether the release, whole or in part, lies here or in a folder below."""
    return root.is_dir() and (_release(root) is not None or bool(_iemocap_parquet.parts(root)))


def _find_release(root: Path) -> Path:
    wanted = "expected the unpacked IEMOCAP_full_release or its parent"
    above = next((folder for folder in root.resolve().parents if _holds_sessions(folder)), None)
    hint = f"{wanted}; did you mean {str(above)!r}?" if above else wanted
    if not root.is_dir():
        raise InputError(f"corpus 'iemocap': {'not a' if root.exists() else 'no'} folder: {root}; {hint}")
    release = _release(root)
    if release is None and any(_is_demo(one) for one in _candidates(root)):
        raise InputError(f"corpus 'iemocap': {root} is the demo, in which nobody speaks; say --corpus demo")
    if release is None:
        raise InputError(f"corpus 'iemocap': no folder Session1 under {root}; {hint}")
    return release


def _release(root: Path) -> Path | None:
    return next((one for one in _candidates(root) if _holds_sessions(one) and not _is_demo(one)), None)


def _candidates(root: Path) -> list[Path]:
    children = _folders(root)
    # Copies of Kaggle have a folder more.
    return [root, root / "IEMOCAP_full_release", *children, *(below for child in children for below in _folders(child))]


def _folders(inside: Path) -> list[Path]:
    """List the folders in a folder without the hidden ones; none of one that is closed."""
    try:
        with os.scandir(inside) as entries:
            return sorted(inside / one.name for one in entries if not one.name.startswith(".") and one.is_dir())
    except OSError:
        return []


def _holds_sessions(folder: Path) -> bool:
    return any((folder / f"Session{number}").is_dir() for number in _SESSIONS)


def _is_demo(folder: Path) -> bool:
    return (folder / MARKER).is_file()


def _wavs(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    dialogs = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    return {path.stem: path for dialog in dialogs for path in listed(dialog, ".wav")}


def _check_raters(raters: str) -> None:
    if raters not in RATERS:
        raise InputError(f"corpus 'iemocap': --raters is {raters!r}{nearest(raters, RATERS)}")


def _transcripts(folder: Path) -> dict[str, str]:
    """Return a digest of each turn's words: enough to see that two turns say the same."""
    digests = {}
    for path in listed(folder, ".txt"):
        for line in lines_of(path):
            if spoken := _SPOKEN.match(line):
                words = " ".join(re.findall(r"[\w']+", spoken[2].lower()))
                digests[spoken[1]] = identity.of_lines([words], size=identity.SHORT)
    return digests


def _out_of_scale(table: pd.DataFrame) -> list[str]:
    notes = []
    for name in ("valence", "activation", "dominance"):
        off = table.index[~table[name].between(1, 5)]
        if len(off):
            values = sorted(set(table.loc[off, name]))
            notes.append(
                f"{name} is off the 1-5 scale in {len(off)} utterances ({values}), e.g. {off[0]}; kept as it is"
            )
    return notes


SPEC = CorpusSpec(
    name="iemocap",
    title="IEMOCAP: 12 hours, 10 speakers, 5 sessions, English, improvised and scripted dialogs",
    licence="by agreement with SAIL, University of Southern California",
    citation="Busso et al. (2008), IEMOCAP: interactive emotional dyadic motion capture database, LRE 42:335-359",
    read=read,
    recognises=recognises,
    told_by=lambda written: of_name(stem_of(written)),
    schemes=SCHEMES,
    subsets=("all", "improvised", "scripted"),
    shares_room=True,
    options=(RATERS_OPTION,),
    expected=expected,
    ceilings={("4class", "all", "leave-one-session-out"): 0.62},
    facts=Facts(
        "English (American)", "acted, improvised and scripted", 10039, 10, 12.44, "https://sail.usc.edu/iemocap/"
    ),
)
