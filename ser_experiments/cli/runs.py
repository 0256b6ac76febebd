"""``ser runs``: what ran, what one run left and where, another name for it, and its end."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from ser_experiments.cli._complete import completes
from ser_experiments.cli._groups import Group
from ser_experiments.cli._options import as_json
from ser_experiments.cli._project import here
from ser_experiments.cli._say import say

if TYPE_CHECKING:
    from ser_experiments.tracking.deleting import Doomed


@click.group("runs", cls=Group)
def command() -> None:
    """List runs, show one, rename one, delete some for good."""


@command.command("list")
@click.option("--setting", help="Runs of this setting alone.", shell_complete=completes("settings"))
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@as_json
def list_runs(setting: str | None, limit: int, as_json: bool) -> None:
    """List runs, the newest first.

    With score and interval, when, seed and what --set changed. Runs that failed or were killed are among
    them. `ser compare` sets those of one setting side by side.
    """
    from ser_experiments.cli import _runs
    from ser_experiments.errors import InputError, nearest
    from ser_experiments.tracking import existing

    runs = existing(here()).keeper().runs()
    if setting is not None:
        known = {run.setting for run in runs}
        if setting not in known:
            raise InputError(f"no runs of setting {setting!r}{nearest(setting, known)}")
        runs = [run for run in runs if run.setting == setting]
    shown = runs[:limit]
    if as_json:
        say(json.dumps({"n_runs": len(runs), "runs": [_runs.facts(run) for run in shown]}))
        return
    _runs.show_list(shown, len(runs))


@command.command("show")
@click.argument("run", metavar="ID", shell_complete=completes("runs"))
@as_json
def show(run: str, as_json: bool) -> None:
    """Show all that a run left.

    Setting, scores with intervals, folds, audit, parameters, files and where they lie, model. ID is the run's, or its
    beginning, or what the run is called where no other is called so.
    """
    from ser_experiments.cli import _runs
    from ser_experiments.evaluation.audit_file import as_dict
    from ser_experiments.tracking import existing
    from ser_experiments.tracking.audits import AUDIT, read_audit
    from ser_experiments.tracking.deleting import find_run

    store = existing(here())
    keeper = store.keeper()
    found = find_run(keeper.runs(), run)
    held = keeper.held(found.run_id)
    scores = _runs.scores_of(found)
    folds = {name: list(keeper.steps(found.run_id, f"fold_{name}")) for name in scores[:1]}
    versions = [one for one in store.versions() if one.run_id == found.run_id]
    audited = read_audit(store, found.run_id) if AUDIT in held.files else None
    if as_json:
        audit = None if audited is None else as_dict(audited)
        say(json.dumps({**_runs.all_facts(found, held, folds, versions), "audit": audit}))
        return
    _runs.show_one(found, held, folds, versions, audited)


@command.command("rename")
@click.argument("run", metavar="ID", shell_complete=completes("runs"))
@click.argument("name")
def rename(run: str, name: str) -> None:
    """Call a run otherwise; which experiment it is of stays as it is."""
    from ser_experiments.errors import InputError
    from ser_experiments.tracking import existing
    from ser_experiments.tracking.deleting import find_run
    from ser_experiments.tracking.meant import SHORT
    from ser_experiments.words import check_word

    if not check_word(name, "NAME").strip():
        raise InputError(f"NAME is {name!r}; say what the run is to be called")
    keeper = existing(here()).keeper()
    found = find_run(keeper.runs(), run)
    keeper.rename(found.run_id, name)
    say(f"run {found.run_id[:SHORT]} of {found.experiment} is called {name} now")


@command.command("delete")
@click.argument("runs", nargs=-1, required=True, metavar="ID...", shell_complete=completes("runs"))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--unregister", is_flag=True, help="Remove versions of the registry that are of their models, too.")
@as_json
def delete(runs: tuple[str, ...], yes: bool, unregister: bool, as_json: bool) -> None:
    """Delete runs for good, with their parts, files and models.

    A run whose model is registered stays, and one that is still running. What is interrupted is ended by the next
    deletion.
    """
    from ser_experiments.tracking import deleting, existing, meant, registry

    used = here()
    store = existing(used)
    # Nobody may register a run meanwhile.
    with registry.alone(used):
        every = store.keeper().runs()
        chosen = {run.run_id: run for run in (deleting.find_run(every, said) for said in runs)}
        found = deleting.doomed(used, store, list(chosen.values()), unregister=unregister)
        if not yes:
            _ask(found)
        freed = 0
        for one in found:
            freed += deleting.delete(used, store, one)
            if not as_json:
                say(f"deleted {one.run.run_id[: meant.SHORT]} ({one.run.title})")
        freed += store.keeper().finish()
    if as_json:
        say(json.dumps({"deleted": list(chosen), "bytes": freed}))
        return
    say(f"{freed / 1e6:.1f} MB are free again")


def _ask(found: list[Doomed]) -> None:
    """Say what goes, and end here unless that is meant."""
    from ser_experiments.cli import _runs
    from ser_experiments.errors import InputError

    for one in found:
        say(_runs.doom(one), err=True)
    try:
        meant = click.confirm("Delete for good?", err=True)
    except click.Abort as error:
        if sys.stdin.isatty():
            raise
        raise InputError("nobody answered, and nothing was deleted; say --yes to delete without being asked") from error
    if not meant:
        say("nothing was deleted", err=True)
        sys.exit(1)
