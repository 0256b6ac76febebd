"""The protocol card: the hash to cite, and how anybody checks it and scores predictions against it."""

from __future__ import annotations

import shlex

from ser_experiments.corpora import corpus_names, get_corpus
from ser_experiments.frames import FOLD
from ser_experiments.report.blocks import Block, Code, Facts, Paragraph, Section
from ser_experiments.report.study import Study
from ser_experiments.report.written import program

#: The tag that holds the hash.
CARD = "ser.card"
_OPTIONS = ("corpus", "labels", "subset", "protocol", "normalize")


def sections(study: Study) -> list[Section]:
    """Return the card of the setting."""
    digest = card_of(study)
    if not digest:
        text = "The runs of this setting hold no protocol card; run an experiment again to get one."
        return [Section("card", "Protocol card", [Paragraph(text)])]
    facts = study.facts
    told = ", ".join(facts[key] for key in _OPTIONS if facts[key])
    blocks: list[Block] = [
        Paragraph(
            "The card holds the id, truth, speaker and fold of every utterance, and no audio. Its hash is of all of "
            "these: two scores may be compared only if their cards have the same hash."
        ),
        Facts([("Hash", digest), ("Setting", told), ("Cite as", f"protocol card {digest} ({told}), {program()}")]),
        Code("\n".join(_commands(study)), _how(study), "sh"),
    ]
    return [Section("card", "Protocol card", blocks)]


def card_of(study: Study) -> str:
    """Return the hash; an empty text where the runs hold none."""
    return study.tags.get(CARD, "")


def _commands(study: Study) -> list[str]:
    facts = study.facts
    said = [
        f"--{key} {shlex.quote(facts[key])}"
        for key in _OPTIONS
        if facts[key] and (key, facts[key]) != ("subset", "all")
    ]
    if "-k-" in facts["protocol"]:
        said.append(f"--folds {study.best.predictions.frame[FOLD].nunique()}")
    return [f"ser protocol {' '.join(said)} --export card.json", "ser verify predictions.csv --card card.json"]


def _how(study: Study) -> str:
    name = study.facts["corpus"]
    made = name in corpus_names() and get_corpus(name).make is not None
    where = (
        ""
        if made
        else " With --root say where the copy of the corpus lies, and repeat what else was said of it to ser run."
    )
    return f"To make the card from a copy of the corpus, see that it has this hash, and score predictions by it:{where}"
