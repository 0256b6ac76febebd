"""Write ``docs/claims.md``: published folds and figures, and what they are worth.

Run with ``python docs/build_claims.py`` after a list, a rule or a measurement has changed; a test fails until then. The
shares are counted here from names of files; what needs speech is measured by ``benchmarks/claims.py`` and kept in
``claims/measured.json``.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from click.testing import CliRunner
from sklearn.model_selection import StratifiedShuffleSplit, train_test_split

from ser_experiments.cli import ser
from ser_experiments.corpora import get_corpus, stem_of
from ser_experiments.csvfile import read_csv
from ser_experiments.evaluation.folds import Fold
from ser_experiments.evaluation.known import SHARED, Known, Shared, known
from ser_experiments.evaluation.own_folds import read_folds

DOCS = Path(__file__).parent
TARGET, DATA = DOCS / "claims.md", DOCS / "claims"
#: The sides that one row of the table is about: names of the files that are trained on, and of those that are tested.
Cut = tuple[Sequence[str], Sequence[str]]
_COPY = Shared(("recording",), "recordings")


class Claim(NamedTuple):
    """Folds that were published, in a row of the table."""

    corpus: str
    said: str
    source: str
    reader: str
    cuts: Sequence[Cut]


@cache
def names(corpus: str) -> list[str]:
    """Return the names of a corpus's files, sorted: by its rule, or as a list has them."""
    return sorted({"emodb": _emodb, "ravdess": _ravdess}[corpus]())


def _emodb() -> Iterator[str]:
    yield from (stem_of(one) for one in read_folds(DATA / "emobox_emodb.csv").index)


def _ravdess() -> Iterator[str]:
    for emotion, level, text, again, actor in product(range(1, 9), (1, 2), (1, 2), (1, 2), range(1, 25)):
        if (emotion, level) != (1, 2):
            yield f"03-01-{emotion:02d}-{level:02d}-{text:02d}-{again:02d}-{actor:02d}"


def _sung() -> Iterator[str]:
    for emotion, level, text, again, actor in product(range(1, 7), (1, 2), (1, 2), (1, 2), range(1, 25)):
        if (emotion, level) != (1, 2) and actor != 18:
            yield f"03-02-{emotion:02d}-{level:02d}-{text:02d}-{again:02d}-{actor:02d}"


@cache
def _every(corpus: str) -> pd.DataFrame:
    tells = get_corpus(corpus).told_by
    assert tells is not None
    return pd.DataFrame([tells(one) for one in names(corpus)]).set_index("utterance_id")


def _told(corpus: str, written: Sequence[str]) -> pd.DataFrame:
    return _every(corpus).loc[list(written)]


def _by_speaker(corpus: str, sides: Mapping[str, Sequence[str]]) -> list[Cut]:
    """Return one cut a fold of speakers, or the one of a test side."""
    every = names(corpus)
    speaker = _told(corpus, every)["speaker"].to_numpy()
    tested = {name: who for name, who in sides.items() if name not in ("train", "dev")}
    apart = [np.isin(speaker, list(who)) for who in tested.values()]
    return [(_of(every, ~test), _of(every, test)) for test in apart]


def _of(every: Sequence[str], mask: Any) -> list[str]:
    return [one for one, there in zip(every, mask, strict=True) if there]


def _split(every: Sequence[str], share: float) -> list[Cut]:
    train, test = train_test_split(list(every), test_size=share, random_state=42)
    return [(train, test)]


def _four_classes() -> list[str]:
    every = names("emodb")
    return [one for letter in "NWFT" for one in every if one[5] == letter]


@cache
def _claims() -> list[Claim]:
    emodb = names("emodb")
    told = read_folds(DATA / "emobox_emodb.csv").rename(stem_of)
    listed = [([*told.index[told != fold]], [*told.index[told == fold]]) for fold in sorted(set(told))]
    deal = StratifiedShuffleSplit(n_splits=10, test_size=0.2, random_state=1)
    shuffled = [([emodb[at] for at in train], [emodb[at] for at in test])
                for train, test in deal.split(np.zeros(len(emodb)), [one[5] for one in emodb])]  # fmt: skip
    men, women = ("03", "10", "11", "12", "15"), ("08", "09", "13", "14", "16")
    pairs = {"+".join(pair): pair for pair in product(men, women)}
    audeering = {"train": ("03", "08", "09", "10", "11", "13"), "test": ("12", "14", "15", "16")}
    actors = {"test": ("21", "22", "23", "24")}
    mixed = random.Random(12)
    dealt = list(emodb)
    mixed.shuffle(dealt)
    held = int(0.8 * len(dealt)) + int(0.1 * len(dealt))
    return [
        Claim("EMO-DB", "five lists", "EmoBox", "emodb", listed),
        Claim("EMO-DB, 4 classes", "`train_test_split(test_size=0.2, random_state=42)`", "hkveeranki", "emodb",
              _split(_four_classes(), 0.2)),
        Claim("EMO-DB", "the same, after scaling all rows", "Renovamen", "emodb", _split(emodb, 0.2)),
        Claim("EMO-DB", "`StratifiedShuffleSplit(10, test_size=0.2, random_state=1)`", "RayanWang", "emodb", shuffled),
        Claim("EMO-DB", "each pair of a man and a woman (option `-s`)", "RayanWang", "emodb",
              _by_speaker("emodb", pairs)),
        Claim("EMO-DB", "the first 80 % of the files in order", "x4nth055", "emodb",
              [(emodb[: int(0.8 * len(emodb))], emodb[int(0.8 * len(emodb)) :])]),
        Claim("EMO-DB", "the rule for IEMOCAP: shuffled, the last tenth", "SpeechBrain", "emodb",
              [(dealt[: int(0.8 * len(dealt))], dealt[held:])]),
        Claim("EMO-DB", "train and test by speaker", "audEERING", "emodb", _by_speaker("emodb", audeering)),
        Claim("RAVDESS, speech", "train, dev and test by actor", "nkululeko", "ravdess",
              _by_speaker("ravdess", actors)),
    ]  # fmt: skip


def counted(claim: Claim) -> dict[str, Known]:
    """Count what training knows of what is tested."""
    every = list(dict.fromkeys(one for train, test in claim.cuts for one in (*train, *test)))
    at = {one: place for place, one in enumerate(every)}
    folds = [
        Fold(str(number), np.array([at[one] for one in train]), np.array([at[one] for one in test]))
        for number, (train, test) in enumerate(claim.cuts)
    ]
    return {one.what: one for one in known(_told(claim.reader, every), folds)}


def sounds_of_videos() -> dict[str, float]:
    """Count how often a tested recording is trained on as well, where the sound of each video is a file of its own."""
    audio = sorted([*_ravdess(), *_sung()])
    every = sorted([*audio, *("01" + one[2:] for one in audio)])
    [(train, test)] = _split(every, 0.33)
    rows = pd.DataFrame({"recording": [one[3:] for one in every], "speaker": [one[-2:] for one in every]}, index=every)
    at = {one: place for place, one in enumerate(every)}
    fold = Fold("test", np.array([at[one] for one in train]), np.array([at[one] for one in test]))
    shared = {"recording": _COPY, "speaker": SHARED["its speaker"]}
    found = {one.what: one.share for one in known(rows, [fold], shared)}
    return {**found, "files": len(every), "tested": len(test)}


def _emobox() -> tuple[list[str], dict[str, float]]:
    """Return the rows of the table of EmoBox's folds, and medians of the published figures by kind of fold."""
    rows, of = [], dict[str, list[float]]()
    for row in read_csv(DATA / "emobox.csv").to_dict("records"):
        corpus, folds, n_tested, both, speakers, published = map(str, row.values())
        if corpus == "EMO-DB":
            found = counted(_claims()[0])["its speaker"]
            both, speakers, n_tested = str(found.values_known), str(found.values_tested), str(found.n_tested)
        kind = "known" if int(both) else "new"
        of.setdefault(kind, []).append(float(published))
        told = f"| {corpus} | {folds} | {int(n_tested):,} | {both} of {speakers} | {kind} | {published} |"
        rows.append((kind, told))
    return [line for _, line in sorted(rows, key=lambda one: one[0])], {kind: median(wa) for kind, wa in of.items()}


def _lists() -> list[str]:
    rows = []
    for claim in _claims():
        found = counted(claim)
        share = {what: f"{found[what].share:.1%}" if what in found else "" for what in SHARED}
        shares = [share[what] for what in SHARED if what not in ("the clip itself", "its session")]
        cells = (claim.corpus, claim.said, claim.source, f"{found['its speaker'].n_tested:,}", *shares)
        rows.append("| " + " | ".join(cells) + " |")
    return rows


_RULES = {
    "emobox-emodb": "EmoBox' five lists",
    "emobox-quarter": "EmoBox' rule for other corpora: a quarter of each class",
    "split-20": "`train_test_split`, 20 % (hkveeranki, Renovamen)",
    "split-33": "`train_test_split`, 33 % (marcogdepinto)",
    "shuffles": "ten shuffles, 20 % (RayanWang)",
    "speechbrain": "shuffled, the last tenth (SpeechBrain)",
    "in-order": "the last fifth in order (x4nth055)",
    "man-and-woman": "each man and woman (RayanWang, `-s`)",
    "audeering-emodb": "by speaker (audEERING)",
}


def _range(value: Sequence[float]) -> str:
    return f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"


def _signed(value: Sequence[float]) -> str:
    return f"{value[0]:+.3f} ({value[1]:+.3f} to {value[2]:+.3f})"


def _copies(found: Mapping[str, Any]) -> str:
    alone, both = found["split-33"], found["copies"]
    return (
        f"{both['uar'][0]:.3f} ({alone['uar'][0]:.3f} without copies, {both['without'][0]:.3f} where speakers are new)"
    )


def _measured(kept: Mapping[str, Any]) -> list[str]:
    rows = []
    for name, model in (("emodb4", "svm_lld"), ("emodb4", "svm_encoder"), ("nemo_subset", "svm_lld")):
        found = kept[name][model]
        for rule, said in _RULES.items():
            if rule not in found:
                continue
            one = found[rule]
            rows.append(f"| {name} | `{model}` | {said} | {one['tested']:,} | {one['known']['its speaker']:.0%} | "
                        f"{_range(one['uar'])} | {_range(one['apart'])} | {_signed(one['difference'])} |")  # fmt: skip
    return rows


_LEAKS = {
    "copies": "each recording twice, the second encoded as OGG; split 33 %",
    "altered": "each recording with noise, and slower and higher, beside it; split 25 %",
    "split-33": "neither: the same split of the recordings alone",
    "scaled": "scaled over all rows before the folds are cut",
    "epoch": "the epoch that is best on the tested speaker",
    "epoch-held-out": "the epoch that is best on a held-out speaker",
    "family": "the family of five that is best on the tested speaker",
}


def _others(kept: Mapping[str, Any]) -> list[str]:
    rows = []
    for name in ("emodb4", "nemo_subset"):
        for leak, said in _LEAKS.items():
            if leak not in kept[name]["leaks"]:
                continue
            one = kept[name]["leaks"][leak]
            copy = f"{one['copy_in_training']:.0%}" if "copy_in_training" in one else ""
            rows.append(f"| {name} | {said} | {one['tested']:,} | {copy} | {_range(one['uar'])} | "
                        f"{_range(one['without'])} | {_signed(one['difference'])} |")  # fmt: skip
    return rows


def _shown() -> str:
    """Return what the command prints of EmoBox' lists, written as EmoBox writes them."""
    told = read_folds(DATA / "emobox_emodb.csv")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for fold in sorted(set(told)):
            files.append(Path(folder) / f"emodb_test_fold_{fold}.jsonl")
            lines = [json.dumps({"key": f"emodb-{stem_of(one)}", "wav": f"downloads/emodb/wav/{one}"})
                     for one in told.index[told == fold]]  # fmt: skip
            files[-1].write_text("\n".join(lines), encoding="utf-8")
        done = CliRunner().invoke(ser, ["verify", *map(str, files), "--corpus", "emodb"], catch_exceptions=False)
    return "\n".join(line.rstrip() for line in done.output.splitlines())


def render() -> str:
    """Return the whole page: its words, with the tables and the figures in their places."""
    kept = json.loads((DATA / "measured.json").read_text(encoding="utf-8"))
    emobox, medians = _emobox()
    videos = sounds_of_videos()
    parts = {
        "LISTS": "\n".join(_lists()),
        "EMOBOX": "\n".join(emobox),
        "SHOWN": _shown(),
        "MEASURED": "\n".join(_measured(kept)),
        "OTHERS": "\n".join(_others(kept)),
        "MEDIAN_KNOWN": f"{medians['known']:.1f}",
        "MEDIAN_NEW": f"{medians['new']:.1f}",
        "N_KNOWN": str(sum("| known |" in line for line in emobox)),
        "N_NEW": str(sum("| new |" in line for line in emobox)),
        "N_EMOBOX": str(len(emobox)),
        "VIDEO_FILES": f"{videos['files']:,}",
        "VIDEO_TESTED": f"{videos['tested']:,}",
        "VIDEO_SHARE": f"{videos['recording']:.1%}",
        "VIDEO_SPEAKERS": f"{videos['speaker']:.0%}",
    }
    nemo, emodb = kept["nemo_subset"], kept["emodb4"]
    parts |= {
        "NEMO_SPLIT": f"{nemo['svm_lld']['shuffles']['uar'][0]:.3f}",
        "NEMO_APART": f"{nemo['svm_lld']['shuffles']['apart'][0]:.3f}",
        "EMODB_EMOBOX": _signed(emodb["svm_lld"]["emobox-emodb"]["difference"]),
        "ENCODER_EMOBOX": _signed(emodb["svm_encoder"]["emobox-emodb"]["difference"]),
        "COPIES_EMODB": _copies(emodb["leaks"]),
        "COPIES_NEMO": _copies(nemo["leaks"]),
        "EPOCH": _signed(emodb["leaks"]["epoch"]["difference"]),
        "SCALED": _signed(emodb["leaks"]["scaled"]["difference"]),
    }
    page = (DATA / "words.txt").read_text(encoding="utf-8")
    for name, text in parts.items():
        page = page.replace("{" + name + "}", text)
    return page


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(f"{TARGET}: {len(_claims())} published cuts")
