"""What a finished experiment leaves, as one value; which tracking store takes it is not known here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pandas as pd
from sklearn.base import BaseEstimator

from ser_experiments import identity
from ser_experiments.evaluation.abstention import by_speaker
from ser_experiments.experiment.asked import REQUEST
from ser_experiments.experiment.costs import costs_of
from ser_experiments.experiment.pictures import ALL_ROWS, history, pictures
from ser_experiments.experiment.words import note, tags, warnings_for
from ser_experiments.frames import GROUP
from ser_experiments.models.report import SearchReport, report_of
from ser_experiments.serving import AudioModel, TableModel
from ser_experiments.serving.inspection.recorded import recorded
from ser_experiments.serving.outlying import ranges_of
from ser_experiments.tracking.names import stored
from ser_experiments.tracking.record import DEFINITION, ENVIRONMENT, Child, Dataset, RunRecord, Stepped, as_json

if TYPE_CHECKING:
    from ser_experiments.experiment.result import Prepared, Result

#: Begins the columns of scores of single folds.
_OF_FOLD = "fold_"


def describe(
    result: Result,
    fitted: BaseEstimator,
    environment: Mapping[str, object],
    *,
    drawn: bool = True,
    asked: Mapping[str, object] | None = None,
    qualities: pd.DataFrame | None = None,
) -> RunRecord:
    """Return everything that a finished experiment leaves.

    Parameters
    ----------
    result : Result
        The scored experiment.
    fitted : estimator
        Fitted on all rows: the model for use.
    environment : mapping
        Program and machine, as :func:`ser_experiments.tracking.environment` returns them.
    drawn : bool, default=True
        Whether pictures are made too; the tables beside them are in any case.
    asked : mapping, optional
        What was said of the run, as :func:`ser_experiments.experiment.asked.kept_request` returns it.
    qualities : DataFrame, optional
        What the recordings are like (:func:`ser_experiments.features.quality.qualities`), for the model to keep.
    """
    prepared = result.prepared
    reports = {**result.reports, ALL_ROWS: report_of(fitted)}
    searches = {fold: report.search for fold, report in reports.items() if report.search is not None}
    best = {f"best.{fold}.{key}": value for fold, one in searches.items() for key, value in one.best_params.items()}
    sizes = {"n_utterances": len(result.predictions), "n_groups": result.interval.n_groups}
    return RunRecord(
        params=stored(_params(prepared) | best),
        metrics=stored(result.metrics | sizes | costs_of(result)),
        stepped=[*_folds(result), *_epochs(fitted)],
        tags=tags(prepared, environment) | {"ser.card": prepared.selection.card.digest},
        note=note(prepared, result.warnings),
        tables={"predictions.csv": result.predictions, "folds.csv": result.folds, **_abstention(result)},
        texts=_texts(result, environment) | ({} if asked is None else {REQUEST: as_json(asked)}),
        pictures=pictures(result, fitted, drawn=drawn),
        dataset=_dataset(prepared),
        children=[*_trials(searches), *_members(result)],
        model=_model(result, fitted, qualities),
    )


def _params(prepared: Prepared) -> dict[str, object]:
    definition, setting = prepared.experiment.definition, prepared.setting
    model = prepared.estimator.get_params()
    return {
        "features": prepared.features,
        "n_columns": prepared.recorded.shape[1],
        **_assets(prepared),
        "augment": ",".join(definition.features.augment),
        "model": definition.model.type,
        "members": ",".join(definition.members),
        **{f"model.{key}": value for key, value in definition.model.params.items()},
        "scale": definition.pipeline.scale,
        "clip": definition.pipeline.clip,
        "select": definition.pipeline.select,
        "calibrate": definition.pipeline.calibrate,
        "class_weight": next((v for k, v in model.items() if k.endswith("class_weight")), None),
        "corpus": setting.corpus,
        "labels": setting.labels,
        "subset": setting.subset,
        "protocol": setting.protocol,
        "normalize": setting.normalize,
        "weights": prepared.weights,
        "changes": prepared.changes,
        "seed": prepared.seed,
    }


def _assets(prepared: Prepared) -> dict[str, object]:
    """Return what the feature sets are made of, e.g. an encoder at its commit, and the digest of its content."""
    found: dict[str, object] = {}
    for name, measure in prepared.measures.items():
        for asset, digest in measure.needs.digests().items():
            found |= {f"{name}.{asset}": measure.params.get(asset, ""), f"{name}.{asset}.digest": digest}
    return found


def _folds(result: Result) -> Iterator[Stepped]:
    """Yield the scores of the folds as steps 1, 2, ..."""
    for name in map(str, result.folds):
        if name.startswith(_OF_FOLD):
            values = enumerate(result.folds[name], start=1)
            yield from (Stepped(name, step, float(value)) for step, value in values if math.isfinite(value))


def _epochs(fitted: BaseEstimator) -> Iterator[Stepped]:
    """Yield what a network tells of the epochs of its fit on all rows."""
    for row in history(fitted):
        step = int(row["epoch"])
        yield from (Stepped(f"epoch_{name}", step, float(value)) for name, value in row.items() if name != "epoch")


def _abstention(result: Result) -> dict[str, pd.DataFrame]:
    """Return what came true by speaker of what the model knows of its answers."""
    table = by_speaker(result.judged, result.scored)
    return {} if table.empty else {"abstention.csv": table}


def _texts(result: Result, environment: Mapping[str, object]) -> dict[str, str]:
    prepared = result.prepared
    enrolled = {"enrolled.json": as_json(prepared.enrolled)} if prepared.enrolled else {}
    return {
        DEFINITION: prepared.experiment.text,
        "result.json": as_json(result.as_dict()),
        "fits.json": as_json({fold: report.as_dict() for fold, report in result.reports.items()}),
        ENVIRONMENT: as_json(environment),
        **enrolled,
    }


def _dataset(prepared: Prepared) -> Dataset:
    """Return what was learned from; arrays over time count in its digest like numbers."""
    setting, table = prepared.setting, prepared.rows.table
    digest = identity.of({"rows": setting.rows, "table": table}, size=identity.CITED)
    columns = {str(name): kind.name for name, kind in table.dtypes.items() if name != GROUP}
    return Dataset(setting.corpus, f"{setting.corpus} ({prepared.corpus.spec.title})", digest, columns, len(table))


def _trials(searches: Mapping[str, SearchReport]) -> Iterator[Child]:
    """Yield every trial of the searches of the folds and of the model."""
    for fold, search in searches.items():
        for trial in search.trials:
            best = trial["params"] == search.best_params
            yield Child(
                f"{fold}, trial {trial['number']}",
                params=trial["params"],
                metrics={f"inner_{search.metric}": trial[search.metric], "seconds": trial["seconds"]},
                tags={"ser.fold": fold, "ser.best": str(best).lower()},
            )


def _members(result: Result) -> Iterator[Child]:
    """Yield each member of an ensemble: what it scores alone, and its weight in each fold."""
    for name, metrics in result.members.items():
        reports = {fold: report for fold, report in result.reports.items() if report.weights}
        weights = {f"weight.{fold}": f"{report.weights[name]:.4f}" for fold, report in reports.items()}
        yield Child(f"member {name}", params=stored(weights), metrics=stored(metrics), tags={"ser.member": name})


def _training(prepared: Prepared) -> dict[str, object]:
    """Return the range of the recordings learned from, against which a new one is held."""
    if prepared.facts is None:
        return {}
    ranges = {
        key: [round(float(end), 3) for end in prepared.facts[key].quantile([0.0, 1.0])]
        for key in ("duration_s", "rms_db")
    }
    return {"sample_rate": int(prepared.facts["sample_rate"].min()), **ranges}


def _recordings(result: Result, qualities: pd.DataFrame | None, learned: Mapping[str, object]) -> dict[str, object]:
    """Return what the model keeps of the recordings that it learned from."""
    prepared = result.prepared
    if qualities is None:
        return {}
    utterances, spoken = prepared.utterances, prepared.corpus.spec.facts.language
    languages = sorted(set(utterances["language"].dropna().astype(str))) if "language" in utterances else [spoken]
    # What was taken out by speaker tells no speakers apart.
    plain = prepared.normalization.kind == "none"
    measured = prepared.recorded.loc[result.predictions.index] if plain else None
    known = [name for name in languages if name]
    return recorded(qualities, known, result.scored, learned, measured)


def _model(result: Result, fitted: BaseEstimator, qualities: pd.DataFrame | None) -> AudioModel | TableModel:
    prepared, setting = result.prepared, result.prepared.setting
    learned = prepared.task.learned(result.predictions)
    meta = {
        "task": {"kind": prepared.task.kind, "targets": list(prepared.task.targets)},
        "experiment": prepared.experiment.name,
        "setting": setting.name,
        "rows": setting.rows,
        prepared.task.primary: result.metrics[prepared.task.primary],
        "normalize": setting.normalize,
        "notes": warnings_for(prepared),
        "training": _training(prepared),
        "recordings": _recordings(result, qualities, learned),
        "measured": ranges_of(prepared.recorded, prepared.utterances["speaker"]),
        **learned,
    }
    if prepared.table_file is not None:
        return TableModel(fitted, [str(c) for c in prepared.table.columns], meta)
    return AudioModel(fitted, list(prepared.sets.items()), meta)
