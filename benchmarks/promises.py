"""Do candidates hold the truth of a new speaker as often as they say, and what do thresholds of clips promise?

    python benchmarks/promises.py demo emodb4=/data/emodb4 nemo_subset=/data/nemo/metadata.csv

For each corpus and definition, candidates at a risk of 10 %, held against speakers that they were not calibrated on:
calibrated over speakers, as models are, and over clips, as conformal prediction usually is: on rows that were drawn at
random, of models that have heard the same voices. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd

from ser_experiments import run_experiment
from ser_experiments.evaluation import abstention
from ser_experiments.experiment import Result
from ser_experiments.tasks._probabilities import likelier

DEFINITIONS = ("svm_lld", "logreg_lld", "rf_lld", "xgb_lld", "svm_encoder")
RISK = 0.1


def _beside(result: Result) -> np.ndarray:
    """Return how much probability the classes have that are likelier than the true one."""
    predictions, task = result.scored, result.scored.task
    places = task.places(predictions.frame)
    return likelier(task.values(predictions.frame))[np.arange(len(places)), places]


def _row(corpus: str, definition: str, given: dict[str, Any]) -> list[str]:
    apart = run_experiment(definition, log_run=False, **given)
    mixed = run_experiment(definition, log_run=False, protocol="random", **given)
    clips = np.sort(_beside(mixed))
    far = clips[min(len(clips), int(np.ceil((1 - RISK) * (len(clips) + 1)))) - 1]
    frame = apart.scored.frame
    by_clips = (pd.Series(_beside(apart) <= far)).groupby(frame["speaker"].to_numpy()).mean()
    by_speakers = abstention.by_speaker(apart.judged, apart.scored)["set_coverage_90"]
    told = [f"{one.mean():.3f} ({one.min():.2f} to {one.max():.2f})" for one in (by_speakers, by_clips)]
    size = f"{apart.metrics['set_size_90']:.2f} of {len(apart.prepared.task.targets)}"
    return [corpus, f"`{definition}`", f"{apart.metrics['wa']:.3f}", told[0], size, told[1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", help="demo, or NAME=ROOT")
    parser.add_argument("--experiment", action="append", help="by default " + ", ".join(DEFINITIONS))
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="as of ser run, e.g. an encoder"
    )
    asked = parser.parse_args()
    headings = ["corpus", "definition", "WA", "over speakers", "candidates", "over clips"]
    print("| " + " | ".join(headings) + " |\n|" + "---|" * len(headings))
    for one in asked.corpora:
        name, _, root = one.partition("=")
        given: dict[str, Any] = {"root": root} if root else {"corpus": name}
        given["overrides"] = asked.set
        for definition in asked.experiment or DEFINITIONS:
            print("| " + " | ".join(_row(name, definition, given)) + " |", flush=True)


if __name__ == "__main__":
    main()
