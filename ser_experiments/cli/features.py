"""``ser features``: which feature sets there are, what they measure, and what the store holds."""

from __future__ import annotations

import json
from typing import Any

import click

from ser_experiments.cli._options import CorpusCommand, request_options, take
from ser_experiments.experiment.request import CorpusRequest


@click.group("features")
def command() -> None:
    """List feature sets, describe their columns, look after the store."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_sets(as_json: bool) -> None:
    """List the feature sets, and the views to train on."""
    from ser_experiments import plugins
    from ser_experiments.features.extractor import SETS, get_extractor
    from ser_experiments.features.views import VIEWS

    modules = dict(plugins.each(SETS, "feature set", holds="extractor"))
    sets = {one.name: one for name in modules for one in get_extractor(name).outputs}
    if as_json:
        rows = {n: {**e.identity, "layout": e.layout, "n_columns": len(e.columns)} for n, e in sets.items()}
        click.echo(json.dumps(rows))
        return
    for name, extractor in sets.items():
        shown = f"{len(extractor.columns):>5} columns, {extractor.output.words}, version {extractor.version}"
        click.echo(f"{name:<12} {shown}")
        if not extractor.number:
            about = modules[name].__doc__ or ""
            click.echo(f"  {about.partition(chr(10))[0]}")
    views = ", ".join(f'"{view}"' for view, _ in plugins.each(VIEWS, "view", holds="view"))
    click.echo(f"views to train on besides the recordings: augment = [{views}] under [features]")


@command.command("describe")
@click.argument("name", metavar="SET")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def describe(name: str, as_json: bool) -> None:
    """Say of every column of SET its unit and its formula or source."""
    from ser_experiments.features.extractor import get_extractor

    extractor = get_extractor(name)
    if as_json:
        columns = [column._asdict() for column in extractor.columns]
        click.echo(json.dumps({**extractor.identity, "layout": extractor.layout, "columns": columns}))
        return
    params = ", ".join(f"{key}={value}" for key, value in extractor.params.items()) or "none"
    click.echo(f"{name} version {extractor.version}: {len(extractor.columns)} columns at {extractor.sample_rate} Hz")
    click.echo(f"parameters: {params}")
    width = max(len(column.name) for column in extractor.columns)
    unit = max(len(column.unit) for column in extractor.columns)
    for column in extractor.columns:
        click.echo(f"{column.name:<{width}}  {column.unit:<{unit}}  {column.source}")


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
    from ser_experiments import project
    from ser_experiments.experiment.selection import load
    from ser_experiments.features import ProgressBar, feature_table, write_table

    here = project.find()
    loaded = load(take(CorpusRequest, given), here)
    with ProgressBar() as progress:
        table = feature_table(
            list(sets), loaded.utterances, cache=here.cache, jobs=jobs, skip_bad=skip_bad, progress=progress
        )
    write_table(table, target)
    click.echo(f"{len(table)} utterances, {table.shape[1] - 1} columns: {target}")


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show_status(as_json: bool) -> None:
    """Say what the store of feature tables holds."""
    from ser_experiments import project
    from ser_experiments.features import status

    cache = project.find().cache
    table = status(cache)
    if as_json:
        click.echo(table.to_json(orient="records", date_format="iso", default_handler=str))
        return
    if table.empty:
        click.echo(f"no tables in {cache}")
        return
    shown = table[["set", "version", "digest", "rows", "parts", "damaged"]].assign(mb=(table["bytes"] / 1e6).round(1))
    click.echo(f"{cache}\n{shown.to_string(index=False)}")


@command.command("prune")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option(
    "--fits-days", type=click.FloatRange(0), default=30, show_default=True, help="Days that unused fits are kept."
)
def prune_store(dry_run: bool, fits_days: float) -> None:
    """Remove tables and fits that nothing uses any more.

    Those are of older versions or other parameters, and leftovers of killed processes. Kept are the tables of every
    set with its default parameters and with those of the project's experiments.
    """
    import pandas as pd

    from ser_experiments import project
    from ser_experiments.experiment.definition import experiment_names, load_experiment
    from ser_experiments.features import prune
    from ser_experiments.features.extractor import get_extractor, params_of, set_names
    from ser_experiments.features.views import on_view
    from ser_experiments.models.fits import prune_fits

    wanted = [get_extractor(name) for name in set_names()]
    for name in experiment_names():
        features = load_experiment(name).definition.features
        for one in features.sets:
            measured = [one, *(on_view(one, view) for view in features.augment)]
            wanted += [get_extractor(each, **params_of(one, features.params)) for each in measured]
    kept = {(output.name, output.digest) for extractor in wanted for output in extractor.outputs}
    cache = project.find().cache
    tables = prune(cache, keep=kept, dry_run=dry_run)
    removed = pd.concat([tables, prune_fits(cache / "fits", days=fits_days, dry_run=dry_run)], ignore_index=True)
    for row in removed.itertuples():
        click.echo(f"{'would remove' if dry_run else 'removed'} {row.path}: {row.why}")
    click.echo(
        f"{len(removed)} removed, {removed['bytes'].sum() / 1e6:.1f} MB" if len(removed) else "nothing to remove"
    )
