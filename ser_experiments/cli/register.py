"""``ser register``: make the best run of a setting the model in use, and go back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._complete import completes
from ser_experiments.cli._metric import metric_option
from ser_experiments.cli._project import here
from ser_experiments.cli._say import say
from ser_experiments.errors import InputError, SerError

if TYPE_CHECKING:
    from ser_experiments.evaluation.compare import Difference
    from ser_experiments.evaluation.score import Score
    from ser_experiments.tracking.backend import Backend
    from ser_experiments.tracking.leaderboard import StoredRun, StoredSetting
    from ser_experiments.tracking.registry import Registered


@click.command("register")
@click.argument("run", required=False)
@click.option("--setting", help="The setting, as `ser run` names it; by default that of the latest run.")
@metric_option("The score that makes a run the best.")
@click.option("--force", is_flag=True, help="Take the run without its having to be better.")
@click.option("--allow-demo", is_flag=True, help="Register a model of synthetic speech, to try the registry.")
@click.option("--no-weights", is_flag=True, help="Leave the weights of encoders where they are; keep a reference.")
@click.option(
    "--require-audit", "audited", multiple=True, is_flag=False, flag_value="", metavar="[NAME]",
    shell_complete=completes("audit names"),
    help="Refuse a run whose audit failed, or failed for a condition, a kind of them or a group; may be repeated.",
)  # fmt: skip
@click.option("--list", "listing", is_flag=True, help="List what is registered.")
@click.option("--rollback", is_flag=True, help="Make the previous champion the champion again.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    run: str | None,
    setting: str | None,
    metric: str | None,
    force: bool,
    allow_demo: bool,
    no_weights: bool,
    audited: tuple[str, ...],
    listing: bool,
    rollback: bool,
    as_json: bool,
) -> None:
    """Register a run's model as the champion of its setting.

    RUN is an experiment or the id of a run; without it, the best of the setting by the metric. A champion is replaced
    only by a run that is clearly better on the same utterances: the 95 % interval of the paired difference lies on the
    better side of zero.

    With --require-audit it must have been audited (`ser audit RUN`), and nothing of that may have failed; what cannot
    be told is said.
    """
    from ser_experiments.evaluation.scoring import get_score
    from ser_experiments.tracking import existing, registry
    from ser_experiments.tracking.leaderboard import choose_setting

    score = None if metric is None else get_score(metric)
    _check_required([name for name in audited if name], is_other=bool(audited) and (listing or rollback))
    found = here()
    client = existing(found)
    if listing:
        _list(registry.registered(client), as_json)
        return
    chosen, _ = choose_setting(client, setting)
    if rollback:
        with registry.alone(found):
            _say(registry.roll_back(client, registry.model_name(chosen)), "is champion again", as_json)
        return
    candidate, chosen_from, score = _choose(client, chosen, run, score)
    registry.check_fit(candidate, allow_demo=allow_demo, force=force)
    if audited:
        # Without a name it is all that was audited.
        _must_have_passed(client, candidate, [] if "" in audited else list(audited))
    with registry.alone(found):
        against = None if force else registry.against_champion(client, chosen, candidate, score)
        if against is not None:
            _must_be_better(candidate, *against, score)
        if not no_weights:
            _place_weights(client, candidate)
        done = registry.register(client, chosen, candidate, score.name)
    if not as_json and chosen_from:
        say(chosen_from)
    _say(done, "is champion", as_json)


def _check_required(names: list[str], *, is_other: bool) -> None:
    """Refuse names of what cannot be audited, and an audit of what is not registered now."""
    if is_other:
        raise InputError("--require-audit is of a run that is registered now; leave it out")
    if names:
        from ser_experiments.tracking.audit_gate import check_names

        check_names(names)


def _must_have_passed(client: Backend, run: StoredRun, names: list[str]) -> None:
    """Refuse a run whose audit failed, and say what it does not tell."""
    from ser_experiments.tracking.audit_gate import check_audit
    from ser_experiments.tracking.audits import read_audit

    for line in check_audit(run, read_audit(client, run.run_id), names):
        say(f"note: {line}", err=True)


def _place_weights(client: Backend, run: StoredRun) -> None:
    """Put the weights that a model needs beside it, so that it answers on a machine without them."""
    from ser_experiments.serving.folder import ABOUT
    from ser_experiments.serving.weights import needed

    try:
        files = needed(client.model_folder(f"runs:/{run.run_id}/model") / ABOUT)
    except InputError as error:
        raise InputError(f"{error}; or leave a reference to it with --no-weights") from error
    added = client.add_to_model(run.run_id, files) if files else 0
    if added:
        say(f"weights that it needs lie beside it: {added / 1e6:.0f} MB", err=True)


def _choose(
    client: Any, setting: StoredSetting, run: str | None, score: Score | None
) -> tuple[StoredRun, str | None, Score]:
    """Return the run that was named, or the best and how many it was chosen from, and the score."""
    from ser_experiments.evaluation.compare import compare
    from ser_experiments.evaluation.scoring import chosen_score
    from ser_experiments.tracking.leaderboard import choose_runs, load_scored

    if run is not None:
        found = choose_runs(setting, [run])
        if len(found) > 1:
            ids = ", ".join(one.run_id[:8] for one in found)
            raise InputError(
                f"{run!r} was run in {len(found)} ways in {setting.name} (ser compare says how); name one: {ids}"
            )
        return found[0], None, score or chosen_score(load_scored(client, found)[0].predictions)
    runs = choose_runs(setting)
    # Whoever knows the tested labels is best, and no choice; where there is no other run, it is refused by its reason.
    scored = load_scored(client, [one for one in runs if not one.contaminated] or runs)
    by_id = {one.run.run_id: one for one in scored}
    board = compare({key: one.predictions for key, one in by_id.items()}, scored[0].unit_column, metric=score)
    best = board.best
    said = f"{by_id[best.key].run.name}: {board.score.title} {best.score:.3f}, the best of {len(by_id)}"
    if len(by_id) > 1:
        said += f"; corrected for the choice {board.corrected:.3f}"
    return by_id[best.key].run, said, board.score


def _must_be_better(candidate: StoredRun, champion: Registered, difference: Difference, score: Score) -> None:
    if difference.clearly_better:
        return
    name = champion.tags.get("experiment", champion.run_id[:8])
    if difference.n_groups > 1:
        seen = (
            f"95 % interval {difference.low:+.3f} to {difference.high:+.3f} over {difference.n_groups} groups; a "
            f"difference below {difference.detectable:.3f} could not have been seen"
        )
    else:
        seen = "with one group no difference can be seen"
    raise SerError(
        f"{candidate.name} is not registered: it is not clearly better than the champion {name}, version "
        f"{champion.version}: {score.title} {difference.value:+.3f}, where {score.rule} ({seen}); --force replaces it"
    )


def _list(models: list[Registered], as_json: bool) -> None:
    from ser_experiments.tracking.registry import as_json as to_json

    if as_json:
        say(to_json(models))
        return
    if not models:
        say("nothing is registered; register the best run with: ser register")
    for one in models:
        score = f"{one.tags.get('metric', '')} {one.tags.get('score', '')} ({one.tags.get('interval', '')})"
        marks = ", ".join(one.aliases)
        say(f"{one.name:<45} {one.version:>3}  {one.tags.get('experiment', ''):<18} {score:<34} {marks}".rstrip())


def _say(done: Registered, what: str, as_json: bool) -> None:
    if as_json:
        say(json.dumps({**done.__dict__, "aliases": list(done.aliases)}))
        return
    say(f"{done.name} version {done.version} ({done.tags.get('experiment', '')}) {what}")
    say("use it: ser predict FILE, or serve it: ser serve")
