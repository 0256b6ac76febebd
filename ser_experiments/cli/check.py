"""``ser check``: the tripwires of an experiment, and its score with shuffled labels."""

from __future__ import annotations

import json
from typing import Any

import click

from ser_experiments.cli._options import CorpusCommand, as_json, request_options, take
from ser_experiments.cli._progress import Showing
from ser_experiments.cli._project import here
from ser_experiments.cli._say import say
from ser_experiments.experiment.request import RunRequest


@click.command("check", cls=CorpusCommand)
@click.argument("experiment")
@request_options(RunRequest, without={"no_pictures"})
@click.option(
    "--permutations", type=click.IntRange(20), default=20, show_default=True,
    help="How often labels are shuffled; each costs what the experiment costs.",
)  # fmt: skip
@as_json
def command(experiment: str, permutations: int, as_json: bool, **given: Any) -> None:
    """Check an experiment for leaks: tripwires and shuffled labels.

    Labels are shuffled within each speaker, or among whole speakers where that would move hardly any. With them an
    honest experiment scores chance; the p-value says how often they score as well as the true ones. Nothing is logged.
    """
    from ser_experiments.evaluation.scoring import get_score
    from ser_experiments.parallel import on_cluster

    def tell(number: int, value: float) -> None:
        what = "true labels" if number == 0 else f"shuffled {number}/{permutations}"
        shown.say(f"  {what}: {value:.3f}")

    request = take(RunRequest, given, experiment=experiment)
    with Showing() as shown, on_cluster(request.scheduler):
        from ser_experiments.experiment.check import check_experiment

        prepared, found = check_experiment(
            request, here(writes=True), permutations=permutations, on_score=tell, progress=shown.measured
        )
    primary = get_score(prepared.task.primary)
    if as_json:
        say(json.dumps({
            "experiment": experiment, "setting": prepared.setting.name, primary.name: found.score,
            "p_value": found.p_value, "n_permutations": permutations,
            f"shuffled_{primary.name}": list(found.shuffled), "shuffled_mean": found.mean,
            "shuffled_std": found.std, "chance": found.chance, "above_chance": bool(found.above_chance),
            "shuffled_how": found.how, "shuffled_moved": found.moved,
            "warnings": [*_problems(found), *prepared.remarks],
        }))  # fmt: skip
        return
    say(f"{experiment} on {prepared.setting.name}")
    apart = "recording" if prepared.setting.leaky else "speaker or recording"
    say(f"tripwires        passed: no {apart} on both sides of a fold, no utterance twice")
    times = f"{permutations} times; chance {found.chance:.3f}"
    say(f"true labels      {primary.title} {found.score:.3f}")
    say(f"shuffled labels  {primary.title} {found.mean:.3f} +- {found.std:.3f} ({times})")
    say(f"shuffled         {found.how}: a shuffle moves {found.moved:.0%} of the labels")
    say(f"p-value          {found.p_value:.3f}")
    for line in [*_problems(found), *prepared.remarks]:
        say(f"note: {line}")


def _problems(found: Any) -> list[str]:
    """Return what is wrong with a score, one line each."""
    lines = []
    if found.p_value > 0.05:
        lines.append(
            "the score is not told from that of shuffled labels: the model has learned nothing that can be seen"
        )
    if found.above_chance:
        lines.append(
            "shuffled labels score above chance: folds, tuning or selection see tested labels, or voices tell them"
        )
    return lines
