"""Which tables of the cache experiments ask for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def tables_in_use(cache: Path) -> set[tuple[str, str]]:
    """Return name and digest of the tables that the project's experiments, or sets by themselves, ask for."""
    from ser_experiments.experiment.definition import load_experiment
    from ser_experiments.experiment.lookup import experiment_names
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
