"""``ser protocol``: the card of a setting, to look at, to export and to check against."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._options import CorpusCommand, as_json, request_options, take
from ser_experiments.cli._project import here
from ser_experiments.cli._say import say
from ser_experiments.experiment.request import SettingRequest

if TYPE_CHECKING:
    from ser_experiments.evaluation.card import Card


@click.command("protocol", cls=CorpusCommand)
@request_options(SettingRequest)
@click.option("--export", "target", type=click.Path(dir_okay=False), help="Write the card to this JSON file.")
@click.option(
    "--import", "source", type=click.Path(dir_okay=False), help="Check that this copy of the corpus gives that card."
)
@as_json
def command(target: str | None, source: str | None, as_json: bool, **given: Any) -> None:
    """Show the card of a setting: folds, counts, a hash to cite.

    The card holds ids, labels and folds, no audio, and says how far texts of both sides overlap. Exported, it is what
    `ser verify` scores predictions against.
    """
    from ser_experiments.evaluation.card import read_card, write_card
    from ser_experiments.evaluation.tripwires import check_leaks
    from ser_experiments.experiment.selection import load_setting, select

    theirs = None if source is None else read_card(source)
    request = take(SettingRequest, given if theirs is None else _as_on(theirs, given))
    selection = select(request, load_setting(request, here()))
    corpus = selection.corpus
    notes = [*corpus.notes, *corpus.left_out.doubts, *check_leaks(selection.folds, corpus.utterances)]
    card = selection.card
    if target:
        write_card(card, target)
    if as_json:
        shown = card.as_dict()
        del shown["rows"], shown["columns"]
        shown["notes"] = notes
        say(json.dumps(shown if theirs is None else {**shown, "differences": _differences(card, theirs)}))
    else:
        _show(card)
        for line in notes:
            say(f"note: {line}")
        if theirs is not None:
            _compare(card, theirs, str(source))
        if target:
            say(f"card written to {target}; check predictions with: ser verify FILE.csv --card {target}")
    if theirs is not None and card.digest != theirs.digest:
        sys.exit(1)


def _as_on(card: Card, given: dict[str, Any]) -> dict[str, Any]:
    """Take from the card what was not given on the command line."""
    from click.core import ParameterSource

    from ser_experiments.corpora import place_of
    from ser_experiments.corpora._options import called

    context = click.get_current_context()
    theirs: dict[str, Any] = {
        **{option: card.setting[option] for option in ("labels", "subset", "protocol", "normalize")},
        "n_splits": len(card.counts["fold"]),
    }
    own = card.facts.get("own_labels")
    if own is not None:
        theirs |= {"labels": own["labels"], "map": own["map"], "drop": own["drop"]}
    sources = {name: context.get_parameter_source(name) for name in given}
    chosen = {name for name, source in sources.items() if source not in {ParameterSource.DEFAULT, None}}
    readers = card.facts.get("readers", {})
    found = [called(name, readers.get(name)) for name in card.facts.get("corpora") or [card.setting["corpus"]]]
    theirs["corpus"] = tuple(name for name, _ in found)
    # Two corpora that take one option cannot both be told by it.
    options = [one for _, one in found]
    told = {name: value for one in options for name, value in one.items() if sum(name in o for o in options) == 1}
    if "tested_corpus" in card.facts:
        tested = card.facts["tested_corpus"]
        theirs["test_corpus"] = called(tested, readers.get(tested))[0]
    same = sorted(place_of(one).corpus for one in given["corpus"]) == sorted(theirs["corpus"])
    if "corpus" not in chosen or same:
        given = {**given, "corpus_options": {**told, **given.get("corpus_options", {})}}
    return {name: value if name in chosen else theirs.get(name, value) for name, value in given.items()}


def _differences(card: Card, theirs: Card) -> list[str]:
    from ser_experiments.evaluation.card import differences

    return differences(card, theirs)


def _compare(card: Card, theirs: Card, source: str) -> None:
    if card.digest == theirs.digest:
        say(f"same card as {source}: scores may be compared")
        return
    for line in _differences(card, theirs):
        say(f"differs: {line}")
    say(f"not the card of {source} ({theirs.digest}): scores must not be compared")


def _show(card: Card) -> None:
    setting, counts, facts = card.setting, card.counts, card.facts
    overlap = facts["text_overlap"]
    texts = f"{overlap['share'] or 0:.0%} of {overlap['n_known']} tested rows have a text that also occurs in training"
    enrolled = sum(map(len, facts.get("enrolled", {}).values()))
    unit = f"{setting['unit']}s"
    for key, value in {
        "card": card.digest,
        "corpus": f"{setting['corpus']}, {len(card.rows)} utterances, {len(counts['speaker'])} speakers",
        "labels": f"{setting['labels']}: {facts['label_rule']}",
        card.task.kind: card.task.described(card.truth),
        **_left_out(facts["left_out"]),
        "subset": setting["subset"],
        "protocol": f"{setting['protocol']}: {facts['words']}",
        "folds": ", ".join(f"{name} {n}" for name, n in counts["fold"].items()),
        "intervals": f"over {card.rows[card.unit_column].nunique()} {unit}",
        "normalised": setting["normalize"] + (f" ({enrolled} clips left out for it)" if enrolled else ""),
        "same text": "not known" if overlap["share"] is None else texts,
    }.items():
        say(f"{key:<11}{value}")


def _left_out(facts: dict[str, Any]) -> dict[str, str]:
    """Return what the labels made no use of, where there is anything."""
    from ser_experiments.corpora._left_out import counted

    gone = counted(facts["unknown"], facts["did_you_mean"])
    gone += [f"{word} (--drop)" for word in counted(facts["dropped"])]
    gone += [f"without {word}" for word in counted(facts.get("without", {}))]
    said = {"left out": ", ".join(gone), "no rows": ", ".join(facts["empty_classes"])}
    return {key: words for key, words in said.items() if words}
