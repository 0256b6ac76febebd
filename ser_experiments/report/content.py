"""The report of a study: its sections, in the order in which they are read."""

from __future__ import annotations

from ser_experiments.report import best, card, limits, model, protocol, results
from ser_experiments.report.blocks import Document
from ser_experiments.report.study import Study


def document_of(study: Study) -> Document:
    """Return the report of a study."""
    parts = [results.sections, protocol.sections, best.sections, card.sections, model.sections, limits.sections]
    return Document(title_of(study), study.setting.name, [one for part in parts for one in part(study)])


def title_of(study: Study) -> str:
    """Return the setting in words."""
    facts = study.facts
    targets = ", ".join(study.best.predictions.task.targets)
    subset = f", {facts['subset']} only" if facts["subset"] not in ("", "all") else ""
    apart = f", {facts['protocol']}" if facts["protocol"] else ""
    labels = f"{facts['labels']} ({targets})" if facts["labels"] else targets
    return f"Emotion in speech: {facts['corpus'] or study.setting.name}{subset}, {labels}{apart}"
