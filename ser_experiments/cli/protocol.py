"""``ser protocol``: the card of a setting, to look at, to export and to check against."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._options import corpus_arguments, corpus_options, setting_options

if TYPE_CHECKING:
    from ser_experiments.evaluation.card import Card


@click.command("protocol")
@corpus_options
@setting_options
@click.option("--export", "target", type=click.Path(dir_okay=False), help="Write the card to this JSON file.")
@click.option(
    "--import", "source", type=click.Path(dir_okay=False), help="Check that this copy of the corpus gives that card."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, without the rows.")
def command(
    corpus: str,
    name: str | None,
    allow_outside: bool,
    target: str | None,
    source: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Show the card of a setting: folds, counts, a hash to cite.

    The card holds ids, labels and folds, no audio, and says how far texts of both sides overlap. Exported, it is what
    `ser verify` scores predictions against.
    """
    from ser_experiments.evaluation.card import read_card, write_card

    theirs = None if source is None else read_card(source)
    if theirs is not None:
        corpus, name, settings = _as_on(theirs, corpus, name, settings)
    card = _make(corpus, corpus_arguments(corpus, name, allow_outside), **settings)
    if target:
        write_card(card, target)
    if as_json:
        shown = card.as_dict()
        del shown["rows"], shown["columns"]
        click.echo(json.dumps(shown if theirs is None else {**shown, "differences": _differences(card, theirs)}))
    else:
        _show(card)
        if theirs is not None:
            _compare(card, theirs, str(source))
        if target:
            click.echo(f"card written to {target}; check predictions with: ser verify FILE.csv --card {target}")
    if theirs is not None and card.digest != theirs.digest:
        sys.exit(1)


def _make(corpus: str, options: dict[str, Any], **settings: Any) -> Card:
    from ser_experiments.corpora import load_corpus
    from ser_experiments.evaluation.card import make_card
    from ser_experiments.evaluation.folds import make_folds
    from ser_experiments.evaluation.tripwires import check_leaks
    from ser_experiments.experiment.setting import enrol
    from ser_experiments.features import parse_normalization

    mode = parse_normalization(settings["normalize"])
    root, labels, subset = (settings.get(key) for key in ("root", "labels", "subset"))
    loaded, enrolled = enrol(load_corpus(corpus, root, labels, subset=subset, **options), mode)
    folds = make_folds(
        loaded.utterances, settings["protocol"], n_splits=settings["n_splits"], shares_room=loaded.spec.shares_room
    )
    check_leaks(folds, loaded.utterances)
    return make_card(loaded, folds, normalize=str(mode), enrolled=enrolled)


def _as_on(
    card: Card, corpus: str, name: str | None, settings: dict[str, Any]
) -> tuple[str, str | None, dict[str, Any]]:
    """Take from the card what was not given on the command line."""
    from click.core import ParameterSource

    from ser_experiments.corpora import corpus_names

    context = click.get_current_context()

    def given(option: str) -> bool:
        return context.get_parameter_source(option) not in {ParameterSource.DEFAULT, None}

    theirs = card.setting
    if not given("corpus"):
        corpus = theirs["corpus"] if theirs["corpus"] in corpus_names() else "manifest"
    if corpus == "manifest" and name is None:
        name = theirs["corpus"]
    filled = dict(settings)
    for option in ("labels", "subset", "protocol", "normalize"):
        if not given(option):
            filled[option] = theirs[option]
    if not given("n_splits"):
        filled["n_splits"] = len(card.counts["fold"])
    return corpus, name, filled


def _differences(card: Card, theirs: Card) -> list[str]:
    from ser_experiments.evaluation.card import differences

    return differences(card, theirs)


def _compare(card: Card, theirs: Card, source: str) -> None:
    if card.digest == theirs.digest:
        click.echo(f"same card as {source}: scores may be compared")
        return
    for line in _differences(card, theirs):
        click.echo(f"differs: {line}")
    click.echo(f"not the card of {source} ({theirs.digest}): scores must not be compared")


def _show(card: Card) -> None:
    setting, counts, facts = card.setting, card.counts, card.facts
    overlap = facts["text_overlap"]
    texts = f"{overlap['share'] or 0:.0%} of {overlap['n_known']} tested rows have a text that also occurs in training"
    enrolled = sum(map(len, facts.get("enrolled", {}).values()))
    unit = "sessions" if setting["unit"] == "session" else "speakers"
    for key, value in {
        "card": card.digest,
        "corpus": f"{setting['corpus']}, {len(card.rows)} utterances, {len(counts['speaker'])} speakers",
        "labels": f"{setting['labels']}: {facts['label_rule']}",
        "classes": ", ".join(f"{name} {n}" for name, n in counts["label"].items()),
        "subset": setting["subset"],
        "protocol": f"{setting['protocol']}: {facts['words']}",
        "folds": ", ".join(f"{name} {n}" for name, n in counts["fold"].items()),
        "intervals": f"over {card.rows[card.unit_column].nunique()} {unit}",
        "normalised": setting["normalize"] + (f" ({enrolled} clips left out for it)" if enrolled else ""),
        "same text": "not known" if overlap["share"] is None else texts,
    }.items():
        click.echo(f"{key:<11}{value}")
