"""``ser cache``: what the cache holds, kind by kind, and room for more."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ser_experiments.cli._groups import Group
from ser_experiments.cli._project import here
from ser_experiments.cli._say import say
from ser_experiments.cli._sizes import Age, age, home_hidden, size

if TYPE_CHECKING:
    import pandas as pd

    from ser_experiments.cli._cached import Item, Kind

#: Tracebacks of errors that nobody foresaw are kept for so long.
_ERRORS_DAYS = 30.0
#: What other programs keep as well, or nobody knows, goes by its name alone.
_BY_NAME = ("encoders", "others")
#: What a process that is running may need after it looked for it.
_HELD = ("tables", "demo", "recordings", "encoders", "others")


@click.group("cache", cls=Group)
def command() -> None:
    """Look after the cache: tables, fits, the demo, encoders."""


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def status(as_json: bool) -> None:
    """Say what lies in the cache, kind by kind.

    How much, used when, what of it nothing uses any more, and what it costs to make it again.
    """
    from ser_experiments import project
    from ser_experiments.cli import _cached
    from ser_experiments.cli._boards import console, print_table
    from ser_experiments.features.store.in_use import alone

    cache = project.locate().cache
    found = {name: list(kind.items(cache)) for name, kind in _cached.KINDS.items()}
    with alone(cache) as free:
        told = {name: _summed(_cached.KINDS[name], items) for name, items in found.items()}
    if as_json:
        say(json.dumps({"cache": str(cache), "in_use": not free, "kinds": told}))
        return
    say(f"{home_hidden(str(cache))}{'' if free else ' (in use by a process that is running)'}")
    rows = [
        [name, str(one["number"]), size(one["bytes"]), one["age"], size(one["unused_bytes"]) if one["unused"] else ""]
        for name, one in told.items()
        if one["number"]
    ]
    if rows:
        print_table(console(80), ["kind", "number", "size", "last used", "unused"], rows, left=[0])
    say(f"{size(sum(one['bytes'] for one in told.values()))} in all\n" if rows else "nothing is cached")
    for name, one in told.items():
        if one["number"]:
            say(fill(f"{name}: {one['what']}; without them: {one['again']}", 80, subsequent_indent="  "))
    if rows:
        say("\nwhat nothing uses goes with: ser cache prune")
        say("more goes with, e.g.:       ser cache prune fits --older-than 30d")


def _summed(kind: Kind, items: list[Item]) -> dict[str, Any]:
    unused = [one for one in items if one.unused]
    times = [one.used_s for one in items]
    return {
        "what": kind.what,
        "again": kind.again,
        "number": len(items),
        "bytes": sum(one.n_bytes for one in items),
        "files": sum(one.n_files for one in items),
        "oldest": min(times, default=None),
        "latest": max(times, default=None),
        "age": age(max(times)) if times else "",
        "unused": len(unused),
        "unused_bytes": sum(one.n_bytes for one in unused),
    }


class _Kinds(click.ParamType):
    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from ser_experiments.cli._cached import KINDS
        from ser_experiments.errors import nearest

        if value not in KINDS:
            self.fail(f"unknown kind {value!r}{nearest(value, KINDS)}", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from ser_experiments.cli._cached import KINDS

        return [CompletionItem(name, help=kind.what) for name, kind in KINDS.items() if name.startswith(incomplete)]


@command.command("prune")
@click.argument("kinds", nargs=-1, type=_Kinds(), metavar="[KIND]...")
@click.option("--older-than", type=Age(), metavar="AGE", help="What was not used for so long, e.g. 30d; 0d is all.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option(
    "--fits-days", type=click.FloatRange(0), default=30, show_default=True, help="Days that unused fits are kept."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def prune(kinds: tuple[str, ...], older_than: float | None, dry_run: bool, fits_days: float, as_json: bool) -> None:
    """Remove from the cache what nothing uses, or what is old.

    Without an age, those are tables of older versions or other parameters, fits that were not used for a while or lie
    beyond 4 GiB, old tracebacks, and what killed processes left: half-written files and half-built demo corpora. Kept
    are the tables of every set with its default parameters and with those of the project's experiments.

    With --older-than whatever of the kinds was not used for so long goes, in use or not: it is made again when it is
    asked for. `ser cache status` names the kinds; encoders go only by their name. While another process uses the cache,
    it loses nothing that it may still read.
    """
    import pandas as pd

    from ser_experiments.features.store.in_use import alone

    cache = here().cache
    with alone(cache) as free:
        if kinds or older_than is not None:
            removed, costs = _chosen(cache, kinds, older_than, free=free, dry_run=dry_run)
        else:
            removed, costs = pd.concat(_unused(cache, fits_days, free=free, dry_run=dry_run), ignore_index=True), []
    if as_json:
        say(json.dumps({"removed": removed.to_dict(orient="records"), "dry_run": dry_run, "in_use": not free}))
        return
    for row in removed.itertuples():
        say(f"{'would remove' if dry_run else 'removed'} {row.path}: {row.why}")
    for line in costs if len(removed) else ():
        say(line)
    if not free:
        say("another process uses the cache: what it may still read stays; say it again when it has ended", err=True)
    n_bytes = removed["bytes"].sum()
    said = f"would free {n_bytes / 1e6:.1f} MB" if dry_run else f"{len(removed)} removed, {n_bytes / 1e6:.1f} MB"
    say(said if len(removed) else "nothing to remove")


def _unused(cache: Path, fits_days: float, *, free: bool, dry_run: bool) -> Iterator[pd.DataFrame]:
    """Remove what nothing uses, part by part, and yield what that was."""
    from ser_experiments.cli._tables import tables_in_use
    from ser_experiments.corpora._demo import leftovers
    from ser_experiments.features import prune as prune_tables
    from ser_experiments.models.fits import prune_fits

    if free:
        yield prune_tables(cache, keep=tables_in_use(cache), dry_run=dry_run)
    yield prune_fits(cache / "fits", days=fits_days, dry_run=dry_run)
    yield _gone([*leftovers(cache / "demo"), *_old_errors(cache / "errors")], dry_run=dry_run)


def _chosen(
    cache: Path, kinds: tuple[str, ...], older_than: float | None, *, free: bool, dry_run: bool
) -> tuple[pd.DataFrame, list[str]]:
    """Remove what is unused of some kinds, or older; return what that was, and what it costs to make it again."""
    from ser_experiments.cli._cached import KINDS

    found: list[tuple[Path, str, int]] = []
    costs = []
    for name in kinds or [name for name in KINDS if name not in _BY_NAME]:
        if not free and name in _HELD:
            continue
        goes = [(item, why) for item in KINDS[name].items(cache) if (why := _why(item, older_than))]
        found += [(item.path, why, item.n_bytes) for item, why in goes]
        if goes:
            weighs = size(sum(item.n_bytes for item, _ in goes))
            costs.append(f"{name}: {len(goes)}, {weighs}; if they are needed: {KINDS[name].again}")
    return _gone(found, dry_run=dry_run), costs


def _why(item: Item, older_than: float | None) -> str:
    """Say why an item goes; nothing where it stays."""
    if older_than is None:
        return item.unused
    return f"not used for {age(item.used_s)}" if time.time() - item.used_s >= older_than else ""


def _old_errors(folder: Path) -> Iterator[tuple[Path, str, int]]:
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
