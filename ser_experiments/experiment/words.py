"""What is said of a run: tags, the note in words, warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ser_experiments.evaluation.scoring import get_score
from ser_experiments.experiment.estimator import views_of
from ser_experiments.features.encoders.catalogue import names_corpus
from ser_experiments.features.extractor import AT, get_extractors

if TYPE_CHECKING:
    from ser_experiments.experiment.result import Prepared

#: Below this AUROC of confidence probabilities tell nothing.
TELLS = 0.6


def tags(prepared: Prepared, environment: Mapping[str, object]) -> dict[str, object]:
    """Return the tags of a run: what it was run on, under which rule, with which program.

    Parameters
    ----------
    prepared : Prepared
        What is run.
    environment : mapping
        As :func:`ser_experiments.tracking.environment` returns it.
    """
    setting, packages = prepared.setting, environment.get("packages")
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
        "ser.contaminated": str(contaminated(prepared)).lower(),
        "ser.synthetic": str(prepared.corpus.spec.synthetic).lower(),
        "ser.features": prepared.features,
        "ser.model": prepared.experiment.definition.model.type,
        "ser.changes": prepared.changes,
        "ser.seed": prepared.seed,
        **{key: value for key, value in environment.items() if key.startswith("git.")},
        **{f"version.{name}": version for name, version in (packages if isinstance(packages, Mapping) else {}).items()},
    }


def warnings_for(prepared: Prepared, metrics: dict[str, float] | None = None) -> list[str]:
    """Return what must be said with the score, one line each."""
    said = prepared.remarks
    if prepared.corpus.spec.warning:
        said.append(prepared.corpus.spec.warning)
    if prepared.setting.leaky:
        said.append(
            f"protocol {prepared.setting.protocol}: tested speakers were seen in training; this score shows the leak, "
            "not the model"
        )
    said += [
        f"{name} learned from emotions of {', '.join(corpora)}"
        + (": it knows tested labels, so this score says nothing of unheard speech" if contaminated(prepared) else "")
        for name, corpora in _learned(prepared).items()
    ]
    if by_speaker(prepared):
        said.append(f"normalised by speaker: {prepared.normalization.words}")
    if prepared.skipped:
        said.append(f"{len(prepared.skipped)} bad recordings were left out (--skip-bad)")
    tells = (metrics or {}).get("confidence_auroc", 1.0)
    if tells < TELLS:
        said.append(
            f"the probabilities do not tell right answers from wrong ones (AUROC of confidence {tells:.2f}, chance "
            "0.5): go by the labels, not by how probable they are called"
        )
    if metrics and _perfect(prepared, metrics):
        said.append(
            f"{get_score(prepared.task.primary).title} {metrics[prepared.task.primary]:.3f} with an interval of width "
            f"zero: no {prepared.folds.unit} has a single mistake, which speech does not give; look for a column or a "
            "recording that knows the answer"
        )
    ceiling = _ceiling(prepared)
    if metrics and metrics.get("uar", 0.0) > ceiling:
        said.append(
            f"UAR above {ceiling:g} on {prepared.setting.name} from functionals is more than any honest set-up gave; "
            "look for a leak"
        )
    return said


def _perfect(prepared: Prepared, metrics: Mapping[str, float]) -> bool:
    """Whether the primary score is as good as it gets, whoever is left out."""
    score = get_score(prepared.task.primary)
    ends = [metrics.get(name, math.nan) for name in (score.name, f"{score.name}_ci_low", f"{score.name}_ci_high")]
    best = score.limits[1] if score.better > 0 else score.limits[0]
    return all(math.isclose(end, best, abs_tol=1e-9) for end in ends)


def contaminated(prepared: Prepared) -> bool:
    """Whether what measures the features has learned from the labels of the corpus."""
    return any(names_corpus(learned, name) for learned in _learned(prepared).values() for name in prepared.corpus.names)


def _learned(prepared: Prepared) -> dict[str, Sequence[str]]:
    """Return by feature set the emotion corpora that it has learned from."""
    told = {name: measure.params.get("trained_on") for name, measure in prepared.measures.items()}
    return {name: corpora for name, corpora in told.items() if isinstance(corpora, Sequence) and corpora}


def by_speaker(prepared: Prepared) -> bool:
    """Whether the features need something of a tested speaker besides the recording."""
    return prepared.normalization.kind != "none"


def _ceiling(prepared: Prepared) -> float:
    """Return the UAR that no model of functionals had in this setting without a leak; infinite where none is known."""
    setting = prepared.setting
    if setting.normalize != "none" or prepared.table_file is not None:
        return math.inf
    known = prepared.corpus.spec.ceilings.get((setting.labels, setting.subset, setting.protocol), math.inf)
    measured = (one for name, params in prepared.sets.items() for one in get_extractors(name, **params))
    return known if known < math.inf and all(one.handcrafted for one in measured) else math.inf


def note(prepared: Prepared, warnings: Sequence[str] | None = None) -> str:
    """Return the protocol in words as Markdown, for the run's description.

    Parameters
    ----------
    prepared : Prepared
        What is run.
    warnings : sequence of str, optional
        What must be said with the score; by default what is known before there is one.
    """
    setting, primary = prepared.setting, get_score(prepared.task.primary).title
    lines = [
        f"**{prepared.experiment.name}**: {prepared.experiment.definition.description}",
        "",
        *counted(prepared),
        *_views(prepared),
        f"- {primary} is pooled over all out-of-fold utterances; its interval is a delete-one-{_unit(prepared)} "
        "jackknife with Student's t",
        f"- Rows and folds: `{setting.rows}`, seed {prepared.seed}",
    ]
    lines += [f"- **{warning}**" for warning in (warnings_for(prepared) if warnings is None else warnings)]
    return "\n".join(lines)


def counted(prepared: Prepared) -> list[str]:
    """Return the setting in words, one line of Markdown each: what is learned from, and by which rule."""
    setting, folds, utterances = prepared.setting, prepared.folds, prepared.utterances
    counts, n_speakers = prepared.task.described(utterances), utterances["speaker"].nunique()
    return [
        f"- Corpus: {setting.corpus}, {len(utterances)} utterances ({counts}), {n_speakers} speakers",
        f"- Labels: {setting.labels} ({prepared.corpus.labels.rule or prepared.corpus.labels.note})",
        f"- Subset: {setting.subset}",
        f"- Protocol: {setting.protocol}, {setting.n_folds} folds: {folds.words}",
        f"- Normalisation: {setting.normalize}: {prepared.normalization.words}",
    ]


def _views(prepared: Prepared) -> list[str]:
    views = dict.fromkeys(name.partition(AT)[2] for name in views_of(prepared.experiment))
    return [f"- Trained on views of the training recordings too: {', '.join(views)}"] if views else []


def _unit(prepared: Prepared) -> str:
    return prepared.folds.unit
