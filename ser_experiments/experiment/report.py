"""What is said of a run: tags, the note in words, warnings, and everything that is logged."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator

from ser_experiments import project
from ser_experiments.evaluation.card import make_card
from ser_experiments.experiment.estimator import views_of
from ser_experiments.experiment.pictures import history, log_pictures
from ser_experiments.features.extractor import AT
from ser_experiments.models.report import FitReport, report_of

if TYPE_CHECKING:
    from ser_experiments.experiment.result import Prepared, Result
    from ser_experiments.tracking import Run

#: Functionals under leave-one-session-out on all of IEMOCAP do not go beyond this without a leak.
_SUSPICIOUS_IEMOCAP = 0.62
#: What a search on all rows is called beside those of the folds: it is that of the model, and no score is of it.
ALL_ROWS = "all rows"


def tags(prepared: Prepared) -> dict[str, object]:
    """Return the tags of a run: what it was run on, under which rule, with which program."""
    from ser_experiments.tracking import git_state, package_versions

    setting = prepared.setting
    return {
        "ser.experiment": prepared.experiment.name,
        "ser.setting": setting.name,
        "ser.corpus": setting.corpus,
        "ser.labels": setting.labels,
        "ser.subset": setting.subset,
        "ser.protocol": setting.protocol,
        "ser.normalize": setting.normalize,
        "ser.rows": setting.rows,
        "ser.leaky": str(setting.leaky).lower(),
        "ser.synthetic": str(bool(prepared.corpus.spec.warning)).lower(),
        "ser.features": prepared.features,
        "ser.model": prepared.experiment.definition.model.type,
        "ser.changes": prepared.experiment.changes,
        "ser.seed": prepared.seed,
        **git_state(project.find().folder),
        **{f"version.{name}": version for name, version in package_versions().items()},
    }


def warnings_for(prepared: Prepared, metrics: dict[str, float] | None = None) -> list[str]:
    """Return what must be said with the score, one line each."""
    said = list(prepared.corpus.notes)
    if prepared.corpus.spec.warning:
        said.append(prepared.corpus.spec.warning)
    if prepared.setting.leaky:
        said.append("protocol random: tested speakers were seen in training; this score shows the leak, not the model")
    if by_speaker(prepared):
        said.append(f"normalised by speaker: {prepared.normalization.words}")
    if prepared.skipped:
        said.append(f"{len(prepared.skipped)} bad recordings were left out (--skip-bad)")
    if metrics and _too_good(prepared, metrics["uar"]):
        said.append(
            f"UAR above {_SUSPICIOUS_IEMOCAP} on all of IEMOCAP from functionals is more than any honest set-up gave; "
            "look for a leak"
        )
    return said


def by_speaker(prepared: Prepared) -> bool:
    """Whether the features need something of a tested speaker besides the recording."""
    return prepared.normalization.kind != "none"


def _too_good(prepared: Prepared, uar: float) -> bool:
    setting = prepared.setting
    usual = (setting.corpus, setting.labels, setting.subset) == ("iemocap", "4class", "all")
    plain = setting.protocol == "leave-one-session-out" and setting.normalize == "none" and prepared.table_file is None
    return usual and plain and uar > _SUSPICIOUS_IEMOCAP


def note(prepared: Prepared) -> str:
    """Return the protocol in words as Markdown, for the run's description."""
    setting, folds, utterances = prepared.setting, prepared.folds, prepared.utterances
    counts = ", ".join(f"{label} {n}" for label, n in utterances["label"].value_counts().sort_index().items())
    n_speakers = utterances["speaker"].nunique()
    lines = [
        f"**{prepared.experiment.name}**: {prepared.experiment.definition.description}",
        "",
        f"- Corpus: {setting.corpus}, {len(utterances)} utterances ({counts}), {n_speakers} speakers",
        f"- Labels: {setting.labels} ({prepared.corpus.labels.rule or prepared.corpus.labels.note})",
        f"- Subset: {setting.subset}",
        f"- Protocol: {setting.protocol}, {setting.n_folds} folds: {folds.words}",
        f"- Normalisation: {setting.normalize}: {prepared.normalization.words}",
        *_views(prepared),
        f"- UAR is pooled over all out-of-fold utterances; its interval is a delete-one-{_unit(prepared)} jackknife "
        "with Student's t",
        f"- Rows and folds: `{setting.rows}`, seed {prepared.seed}",
    ]
    lines += [f"- **{warning}**" for warning in warnings_for(prepared)]
    return "\n".join(lines)


def _views(prepared: Prepared) -> list[str]:
    views = dict.fromkeys(name.partition(AT)[2] for name in views_of(prepared.experiment))
    return [f"- Trained on views of the training recordings too: {', '.join(views)}"] if views else []


def _unit(prepared: Prepared) -> str:
    return prepared.folds.unit


def log_result(run: Run, result: Result, fitted: BaseEstimator) -> str | None:
    """Log everything of a finished experiment and the model fitted on all rows; return the model's URI.

    While the store is away everything is kept on disk, and the URI is None."""
    from ser_experiments.tracking import environment

    prepared = result.prepared
    run.params(_params(prepared))
    run.metrics(result.metrics | {"n_utterances": len(result.predictions), "n_groups": result.interval.n_groups})
    run.fold_metrics(result.folds[["fold_uar", "fold_wa"]])
    run.table(result.predictions, "predictions.csv")
    run.table(result.folds, "folds.csv")
    run.text(prepared.experiment.text, "definition.toml")
    run.json(result.as_dict(), "result.json")
    run.json({fold: report.as_dict() for fold, report in result.reports.items()}, "fits.json")
    run.tags({"ser.card": make_card(prepared.corpus, prepared.folds, normalize=prepared.setting.normalize).digest})
    if prepared.enrolled:
        run.json(prepared.enrolled, "enrolled.json")
    run.json(environment(project.find().folder), "environment.json")
    log_pictures(run, result, fitted)
    run.steps(history(fitted), "epoch", "epoch_")
    _log_search(run, result, report_of(fitted))
    _log_members(run, result)
    source = f"{prepared.setting.corpus} ({prepared.corpus.spec.title})"
    run.dataset(prepared.table, name=prepared.setting.corpus, digest=table_digest(prepared), source=source)
    return _log_model(run, result, fitted)


def _log_search(run: Run, result: Result, on_all: FitReport) -> None:
    """Log every trial of a search as a run below this one, and what was chosen as parameters of this one."""
    for fold, report in {**result.reports, ALL_ROWS: on_all}.items():
        if report.search is None:
            continue
        chosen = report.search.best_params
        run.params({f"best.{fold}.{name}": value for name, value in chosen.items()})
        for trial in report.search.trials:
            run.nested(
                f"{fold}, trial {trial['number']}",
                trial["params"],
                {"inner_uar": trial["uar"], "seconds": trial["seconds"]},
                {"ser.fold": fold, "ser.best": str(trial["params"] == chosen).lower()},
            )


def _log_members(run: Run, result: Result) -> None:
    """Log each member of an ensemble as a run below this one: what it scores alone, and its weight in each fold."""
    for name, metrics in result.members.items():
        reports = {fold: report for fold, report in result.reports.items() if report.weights}
        weights = {f"weight.{fold}": f"{report.weights[name]:.4f}" for fold, report in reports.items()}
        run.nested(f"member {name}", weights, metrics, {"ser.member": name})


def _params(prepared: Prepared) -> dict[str, object]:
    definition, setting = prepared.experiment.definition, prepared.setting
    model = prepared.estimator.get_params()
    chosen = {f"model.{key}": value for key, value in definition.model.params.items()}
    return {
        "features": prepared.features,
        "n_columns": prepared.recorded.shape[1] - 1,
        "augment": ",".join(definition.features.augment),
        "model": definition.model.type,
        "members": ",".join(definition.members),
        **chosen,
        "scale": definition.pipeline.scale,
        "select": definition.pipeline.select,
        "calibrate": definition.pipeline.calibrate,
        "class_weight": next((v for k, v in model.items() if k.endswith("class_weight")), None),
        "corpus": setting.corpus,
        "labels": setting.labels,
        "subset": setting.subset,
        "protocol": setting.protocol,
        "normalize": setting.normalize,
        "seed": prepared.seed,
    }


def table_digest(prepared: Prepared) -> str:
    """Return 16 hexadecimal digits for the table's identity: its columns, rows, labels and numbers."""
    digest = hashlib.blake2b(prepared.setting.rows.encode(), digest_size=8)
    numbers = prepared.table.select_dtypes("number")
    digest.update("\n".join(map(str, prepared.table.columns)).encode())
    digest.update(np.ascontiguousarray(numbers.to_numpy(dtype=np.float32)).tobytes())
    digest.update("\n".join(map(str, prepared.table.index)).encode())
    return digest.hexdigest()


def _training(prepared: Prepared) -> dict[str, object]:
    """Return the range of the recordings learned from, against which a new one is held."""
    if prepared.facts is None:
        return {}
    ranges = {
        key: [round(float(end), 3) for end in prepared.facts[key].quantile([0.0, 1.0])]
        for key in ("duration_s", "rms_db")
    }
    return {"sample_rate": int(prepared.facts["sample_rate"].min()), **ranges}


def _log_model(run: Run, result: Result, fitted: BaseEstimator) -> str | None:
    from ser_experiments.tracking import AudioModel

    prepared = result.prepared
    setting = prepared.setting
    meta = {
        "experiment": prepared.experiment.name,
        "setting": setting.name,
        "rows": setting.rows,
        "run_id": run.run_id,
        "uar": result.metrics["uar"],
        "normalize": setting.normalize,
        "notes": warnings_for(prepared),
        "training": _training(prepared),
    }
    if prepared.table_file is not None:
        columns = [str(c) for c in prepared.table.columns if c != "group"]
        return run.table_model(fitted, columns, meta)
    return run.audio_model(AudioModel(fitted, list(prepared.sets.items()), meta))
