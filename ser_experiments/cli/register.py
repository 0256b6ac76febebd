"""``ser register``: make the best run of a setting the model in use, and go back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.errors import InputError

if TYPE_CHECKING:
    from ser_experiments.evaluation.compare import Difference
    from ser_experiments.tracking.leaderboard import StoredRun, StoredSetting
    from ser_experiments.tracking.registry import Registered


@click.command("register")
@click.argument("run", required=False)
@click.option("--setting", help="The setting, as `ser run` names it; by default that of the latest run.")
@click.option("--metric", default="uar", show_default=True, help="What makes a run the best.")
@click.option("--force", is_flag=True, help="Replace the champion without having to be better.")
@click.option("--allow-demo", is_flag=True, help="Register a model of synthetic speech, to try the registry.")
@click.option("--list", "listing", is_flag=True, help="List what is registered.")
@click.option("--rollback", is_flag=True, help="Make the previous champion the champion again.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    run: str | None,
    setting: str | None,
    metric: str,
    force: bool,
    allow_demo: bool,
    listing: bool,
    rollback: bool,
    as_json: bool,
) -> None:
    """Register a run's model as the champion of its setting.

    RUN is an experiment or the id of a run; without it, the best of the setting by the metric. A champion is replaced
    only by a run that is better on the same utterances: the 95 % interval of the paired difference lies above zero.
    """
    from ser_experiments import project
    from ser_experiments.evaluation.group_scores import get_score
    from ser_experiments.tracking import connect, registry
    from ser_experiments.tracking.leaderboard import choose_setting

    get_score(metric)
    client = connect(project.find())
    if listing:
        _list(registry.registered(client), as_json)
        return
    chosen, _ = choose_setting(client, setting)
    if rollback:
        _say(registry.roll_back(client, registry.model_name(chosen)), "is champion again", as_json)
        return
    candidate, chosen_from = _choose(client, chosen, run, metric)
    registry.check_fit(candidate, allow_demo=allow_demo)
    against = None if force else registry.against_champion(client, chosen, candidate, metric)
    if against is not None:
        _must_be_better(candidate, *against, metric)
    done = registry.register(client, chosen, candidate, metric)
    if not as_json and chosen_from:
        click.echo(chosen_from)
    _say(done, "is champion", as_json)


def _choose(client: Any, setting: StoredSetting, run: str | None, metric: str) -> tuple[StoredRun, str | None]:
    """Return the run that was named, or the best and how many it was chosen from."""
    from ser_experiments.evaluation.compare import compare
    from ser_experiments.tracking.leaderboard import choose_runs, load_scored

    if run is not None:
        found = choose_runs(setting, [run])
        if len(found) > 1:
            ids = ", ".join(one.run_id[:8] for one in found)
            raise InputError(
                f"{run!r} was run in {len(found)} ways in {setting.name} (ser compare says how); name one: {ids}"
            )
        return found[0], None
    scored = load_scored(client, choose_runs(setting))
    by_id = {one.run.run_id: one for one in scored}
    board = compare({key: one.predictions for key, one in by_id.items()}, scored[0].unit_column, metric=metric)
    best = board.rows[0]
    said = f"{by_id[best.key].run.name}: {metric} {best.score:.3f}, the best of {len(by_id)}"
    if len(by_id) > 1:
        said += f"; corrected for the choice {board.corrected:.3f}"
    return by_id[best.key].run, said


def _must_be_better(candidate: StoredRun, champion: Registered, difference: Difference, metric: str) -> None:
    from ser_experiments.errors import SerError

    if not difference.low > 0:
        raise SerError(
            f"{candidate.name} is not registered: {metric} {difference.value:+.3f} (95 % interval "
            f"{difference.low:+.3f} to {difference.high:+.3f} over {difference.n_groups} groups) to the champion "
            f"{champion.tags.get('experiment', champion.run_id[:8])}, version {champion.version}; a difference below "
            f"{difference.detectable:.3f} could not have been seen; --force replaces it"
        )


def _list(models: list[Registered], as_json: bool) -> None:
    from ser_experiments.tracking.registry import as_json as to_json

    if as_json:
        click.echo(to_json(models))
        return
    if not models:
        click.echo("nothing is registered; register the best run with: ser register")
    for one in models:
        score = f"{one.tags.get('metric', '')} {one.tags.get('score', '')} ({one.tags.get('interval', '')})"
        marks = ", ".join(one.aliases)
        click.echo(
            f"{one.name:<45} {one.version:>3}  {one.tags.get('experiment', ''):<18} {score:<34} {marks}".rstrip()
        )


def _say(done: Registered, what: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**done.__dict__, "aliases": list(done.aliases)}))
        return
    click.echo(f"{done.name} version {done.version} ({done.tags.get('experiment', '')}) {what}")
    click.echo("use it: ser predict FILE, or serve it: ser serve")
