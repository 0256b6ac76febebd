"""``ser cache``: what the cache holds that nothing uses any more, and room for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ser_experiments.cli._groups import Group
from ser_experiments.cli._say import say

if TYPE_CHECKING:
    import pandas as pd

#: Tracebacks of errors that nobody foresaw are kept for so long.
_ERRORS_DAYS = 30.0


@click.group("cache", cls=Group)
def command() -> None:
    """Look after the cache: tables, fits, the demo corpus."""


@command.command("prune")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option(
    "--fits-days", type=click.FloatRange(0), default=30, show_default=True, help="Days that unused fits are kept."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def prune(dry_run: bool, fits_days: float, as_json: bool) -> None:
    """Remove what nothing uses any more from the cache.

    Those are tables of older versions or other parameters, fits that were not used for a while or lie beyond 4 GiB, old
    tracebacks, and what killed processes left: half-written files and half-built demo corpora. Kept are the tables of
    every set with its default parameters and with those of the project's experiments.
    """
    import pandas as pd

    from ser_experiments import project
    from ser_experiments.corpora._demo import leftovers
    from ser_experiments.features import prune as prune_tables
    from ser_experiments.models.fits import prune_fits

    cache = project.find().cache
    kept = _tables_in_use(cache)
    removed = pd.concat(
        [
            prune_tables(cache, keep=kept, dry_run=dry_run),
            prune_fits(cache / "fits", days=fits_days, dry_run=dry_run),
            _gone([*leftovers(cache / "demo"), *_old_errors(cache / "errors")], dry_run=dry_run),
        ],
        ignore_index=True,
    )
    if as_json:
        say(json.dumps({"removed": removed.to_dict(orient="records"), "dry_run": dry_run}))
        return
    for row in removed.itertuples():
        say(f"{'would remove' if dry_run else 'removed'} {row.path}: {row.why}")
    n_bytes = removed["bytes"].sum()
    said = f"would free {n_bytes / 1e6:.1f} MB" if dry_run else f"{len(removed)} removed, {n_bytes / 1e6:.1f} MB"
    say(said if len(removed) else "nothing to remove")


def _tables_in_use(cache: Path) -> set[tuple[str, str]]:
    """Return name and digest of the tables that the project's experiments, or sets by themselves, ask for."""
    from ser_experiments.experiment.definition import experiment_names, load_experiment
    from ser_experiments.features import status
    from ser_experiments.features.assets import AssetAway
    from ser_experiments.features.extractor import Extractor, get_extractors, params_of, set_names, set_of
    from ser_experiments.features.views import on_view

    asked: list[tuple[str, Mapping[str, object]]] = [(name, {}) for name in set_names()]
    for name in experiment_names():
        features = load_experiment(name).definition.features
        for one in features.sets:
            measured = [one, *(on_view(one, view) for view in features.augment)]
            asked += [(each, params_of(one, features.params)) for each in measured]
    wanted: list[Extractor] = []
    unknown = set()
    for name, params in asked:
        try:
            wanted += get_extractors(name, **params)
        except AssetAway:
            # Without the weights nobody knows which tables are of them.
            unknown.add(set_of(name))
    kept = {(output.name, output.digest) for extractor in wanted for output in extractor.outputs}
    if unknown:
        tables = status(cache)
        pairs = zip(tables["set"], tables["digest"], strict=True)
        kept |= {(name, digest) for name, digest in pairs if set_of(name) in unknown}
    return kept


def _old_errors(folder: Path) -> Iterator[tuple[Path, str, int]]:
    import time

    for path in sorted(folder.glob("ser-*.log")):
        told = path.stat()
        if time.time() - told.st_mtime > _ERRORS_DAYS * 86400:
            yield path, f"older than {_ERRORS_DAYS:.0f} days", told.st_size


def _gone(found: list[tuple[Path, str, int]], *, dry_run: bool) -> pd.DataFrame:
    """Remove files and folders, and return them as a table; what another process removed meanwhile is gone as well."""
    import shutil

    import pandas as pd

    for path, _, _ in found if not dry_run else ():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return pd.DataFrame(found, columns=["path", "why", "bytes"]).astype({"path": str})
