"""``ser corpora``: which corpora there are, and what a copy holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._options import corpus_arguments

if TYPE_CHECKING:
    import pandas as pd


@click.group("corpora")
def command() -> None:
    """List corpora, and describe a copy of one."""


@command.command("list")
def list_corpora() -> None:
    """List the corpora with their label schemes."""
    from ser_experiments.corpora import corpus_names, get_corpus

    for name in corpus_names():
        spec = get_corpus(name)
        click.echo(f"{name}: {spec.title}")
        click.echo(f"  licence: {spec.licence}")
        for scheme in spec.schemes.values():
            rule = scheme.rule or "every word its own class"
            click.echo(f"  --labels {scheme.name}: {rule} ({scheme.note})")
        if len(spec.subsets) > 1:
            click.echo(f"  --subset {' | '.join(spec.subsets)}")


@command.command("describe")
@click.argument("corpus")
@click.option("--root", help="Where it lies.")
@click.option("--name", help="Name of a manifest in results.")
@click.option("--allow-outside", is_flag=True, help="Let a manifest's paths lead out of its folder.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def describe(corpus: str, root: str | None, name: str | None, allow_outside: bool, as_json: bool) -> None:
    """Count utterances by session, speaker and class, beside the expected counts."""
    from ser_experiments.corpora import read_corpus
    from ser_experiments.corpora._describe import compare_counts, counts

    options = corpus_arguments(corpus, name, allow_outside)
    spec, reading = read_corpus(corpus, root, **options)
    found = counts(reading.utterances, spec.schemes)
    expected = spec.expected() if spec.expected else None
    differences = [] if expected is None else compare_counts(reading.utterances, expected)
    if as_json:
        tables: dict[str, Any] = {key: table.to_dict(orient="index") for key, table in found.items()}
        click.echo(json.dumps({"corpus": reading.name, "root": str(reading.root), "counts": tables,
                               "notes": list(reading.notes), "differences": differences}))  # fmt: skip
        return
    click.echo(f"{reading.name}: {len(reading.utterances)} utterances under {reading.root}")
    for title, table in found.items():
        click.echo(f"\n{title}")
        click.echo(_as_text(table))
    click.echo()
    for line in reading.notes:
        click.echo(f"note: {line}")
    if expected is not None:
        for line in differences:
            click.echo(f"differs: {line}")
        verdict = f"{len(differences)} counts differ from a complete copy" if differences else "all counts as expected"
        click.echo(verdict + ("; usable, but scores are not those of the whole corpus" if differences else ""))


def _as_text(table: pd.DataFrame) -> str:
    return table.to_string()
