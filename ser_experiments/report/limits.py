"""What the study does not tell."""

from __future__ import annotations

from ser_experiments.report.blocks import Notes, Section
from ser_experiments.report.study import Study


def sections(study: Study) -> list[Section]:
    """Return the limits of every study, and those of this one."""
    facts, predictions = study.facts, study.best.predictions
    speakers = predictions.frame["speaker"].nunique()
    corpus = facts["corpus"] or "this corpus"
    lines = [
        f"The intervals are about other {facts['interval_unit']}s like these {facts['n_groups']}. They say nothing "
        "about other languages, rooms, microphones or ways of speaking.",
        f"All {len(predictions)} utterances are of {speakers} speakers of {corpus}. A model that is good here may be "
        "poor elsewhere; try it on another corpus with ser transfer.",
        "The truth is what raters heard or what actors were asked for. What people feel is not known.",
        "Differences that are smaller than what is called detectable may be there, unseen.",
    ]
    if len(study.names) > 1:
        lines.append(
            "Only the finished runs of this store took part in the choice of the best. Whoever tried more elsewhere, "
            "or looked at these speakers while making the features, has chosen from more, and the "
            "corrected score does not know it."
        )
    return [Section("limits", "Limits", [Notes(lines)])]
