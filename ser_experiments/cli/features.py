"""``ser features``: which feature sets there are, what they measure, and what the store holds."""

from __future__ import annotations

import json
from typing import Any

import click

from ser_experiments.cli._complete import completes
from ser_experiments.cli._groups import Group
from ser_experiments.cli._options import CorpusCommand, request_options, take
from ser_experiments.cli._progress import Showing
from ser_experiments.cli._project import here
from ser_experiments.cli._renamed import renamed_command
from ser_experiments.cli._say import say
from ser_experiments.cli.cache import prune as prune_cache
from ser_experiments.deprecated import Old
from ser_experiments.experiment.request import CorpusRequest


@click.group("features", cls=Group)
def command() -> None:
    """List feature sets, describe one, look after the store."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_sets(as_json: bool) -> None:
    """List the feature sets, and the views to train on."""
    from ser_experiments import plugins
    from ser_experiments.features.assets import AssetAway
    from ser_experiments.features.extractor import SETS, Extractor
    from ser_experiments.features.views import VIEWS
    from ser_experiments.features.wanted import offered

    modules = dict(plugins.each(SETS, "feature set", holds="extractor"))
    sets: dict[str, dict[str, list[Extractor]]] = {}
    away: dict[str, str] = {}
    for name in modules:
        try:
            sets[name] = offered(name)
        except AssetAway as error:
            # Its parameters may name what is not on this machine, which is no reason to list nothing.
            sets[name], away[name] = {}, str(error)
    if as_json:
        rows = {n: _told(found) for offer in sets.values() for n, found in offer.items()}
        say(json.dumps({**rows, **{name: {"problem": why} for name, why in away.items()}}))
        return
    for set_name, offer in sets.items():
        for name, found in offer.items():
            n_columns = sum(len(one.columns) for one in found)
            outputs = f" of {len(found)} outputs" if len(found) > 1 else ""
            shown = f"{n_columns:>5} columns{outputs}, {found[0].output.words}, version {found[0].version}"
            say(f"{name:<12} {shown}")
        if set_name in away:
            say(f"{set_name:<12} {away[set_name]}")
        say(f"  {(modules[set_name].__doc__ or '').partition(chr(10))[0]}")
    views = ", ".join(f'"{view}"' for view, _ in plugins.each(VIEWS, "view", holds="view"))
    say(f"views to train on besides the recordings: augment = [{views}] under [features]")


@command.command("describe")
@click.argument("name", metavar="SET", shell_complete=completes("sets"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def describe(name: str, as_json: bool) -> None:
    """Say of every column of SET its unit and its formula or source."""
    from ser_experiments.features.extractor import get_extractors

    found = get_extractors(name)
    first, columns = found[0], [column for one in found for column in one.columns]
    if as_json:
        say(json.dumps({**_told(found), "columns": [column._asdict() for column in columns]}))
        return
    params = ", ".join(f"{key}={value}" for key, value in first.params.items()) or "none"
    say(f"{name} version {first.version}: {len(columns)} columns at {first.sample_rate} Hz")
    say(f"parameters: {params}")
    width = max(len(column.name) for column in columns)
    unit = max(len(column.unit) for column in columns)
    for column in columns:
        say(f"{column.name:<{width}}  {column.unit:<{unit}}  {column.source}")


def _told(found: list[Any]) -> dict[str, Any]:
    """Return what a name stands for, as JSON: what is the same of all its outputs is the first one's."""
    first = found[0]
    outputs = {"outputs": [one.name for one in found]} if len(found) > 1 else {}
    return {**first.identity, "layout": first.layout, "n_columns": sum(len(one.columns) for one in found), **outputs}


@command.command("export", cls=CorpusCommand)
@click.argument("sets", nargs=-1, required=True, metavar="SET...")
@click.argument("target", metavar="FILE|URL")
@request_options(CorpusRequest)
@click.option("--jobs", type=click.IntRange(1), help="Processes; by default one a core.")
@click.option("--skip-bad", is_flag=True, help="Leave out unusable recordings.")
def export_table(sets: tuple[str, ...], target: str, jobs: int | None, skip_bad: bool, **given: Any) -> None:
    """Write the table of sets of a corpus to a file.

    It is Parquet or CSV by utterance id, on disk or on s3://... What was written is what `ser run --table` takes.
    """
    from ser_experiments.experiment.selection import load
    from ser_experiments.features import feature_table, write_table

    found = here(writes=True)
    loaded = load(take(CorpusRequest, given), found)
    with Showing() as shown:
        table = feature_table(
            list(sets), loaded.utterances, cache=found.cache, jobs=jobs, skip_bad=skip_bad, progress=shown.measured
        )
    write_table(table, target)
    say(f"{len(table)} utterances, {table.shape[1]} columns: {target}")


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show_status(as_json: bool) -> None:
    """Say what the store of feature tables holds."""
    from ser_experiments import project
    from ser_experiments.features import status

    cache = project.find().cache
    table = status(cache)
    if as_json:
        say(table.to_json(orient="records", date_format="iso", default_handler=str))
        return
    if table.empty:
        say(f"no tables in {cache}")
        return
    shown = table[["set", "version", "digest", "rows", "parts", "damaged"]].assign(mb=(table["bytes"] / 1e6).round(1))
    say(f"{cache}\n{shown.to_string(index=False)}")


# Where it stood before there was `ser cache`.
command.add_command(renamed_command(prune_cache, Old("ser features prune", "ser cache prune", "0.3")))
