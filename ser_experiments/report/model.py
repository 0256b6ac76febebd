"""The model card: what is registered from the setting, what it answers, what it knows, and what it is not for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ser_experiments.report.best import audit_of
from ser_experiments.report.blocks import Block, Code, Facts, Notes, Section, Table
from ser_experiments.report.study import Study
from ser_experiments.tracking.backend import Registered


def sections(study: Study) -> list[Section]:
    """Return the card of the model in use, and what else is registered; nothing where nothing is."""
    if not study.models:
        return []
    blocks: list[Block] = []
    champion = study.champion
    if champion is not None:
        blocks += _card(study, champion)
    rows = [_row(one) for one in study.models]
    headings = ["version", "experiment", "score", "95 % interval", "registered", "alias"]
    blocks.append(Table("What is registered from this setting", headings, rows, words=[1, 4, 5]))
    return [Section("model", "Model card", blocks)]


def _card(study: Study, model: Registered) -> list[Block]:
    about = study.about
    said = {
        "Model": f"{model.name}, version {model.version}",
        "Trained by": f"{model.tags.get('experiment', 'an experiment')}, run {model.run_id}{_whose(study, model)}",
        "Answers": _answers(about),
        "Listens to": _heard(about),
        "Features": ", ".join(_sets(about)) or model.tags.get("features", ""),
        "Asks of a new speaker": _asks(about),
        "Score": _scored(model),
        "Audit": audit_of(study, model.run_id),
        "Fitted on": "all utterances of the setting; its score is that of models that were fitted on parts of them",
    }
    blocks: list[Block] = [Facts([(term, words) for term, words in said.items() if words])]
    notes = about.get("notes")
    if isinstance(notes, list) and notes:
        blocks.append(Notes([str(one) for one in notes], warns=True))
    blocks.append(Code(f"ser predict FILE --model {shlex.quote(model.name)}", "To use it:", "sh"))
    return blocks


def _whose(study: Study, model: Registered) -> str:
    return "" if model.run_id == study.best.run.run_id else " (not the run that is best on the board now)"


def _answers(about: Mapping[str, Any]) -> str:
    task = about.get("task")
    targets = task.get("targets") if isinstance(task, dict) else about.get("classes")
    kind = task.get("kind", "") if isinstance(task, dict) else "classes"
    return f"{kind}: {', '.join(map(str, targets))}" if isinstance(targets, list) and targets else ""


def _heard(about: Mapping[str, Any]) -> str:
    """Say what the recordings were like that it learned from."""
    training = about.get("training")
    if not isinstance(training, dict):
        return ""
    units = {"sample_rate": "{} Hz or more", "duration_s": "{} to {} s long", "rms_db": "{} to {} dB loud"}
    found = {key: value if isinstance(value, list) else [value] for key, value in training.items()}
    told = [form.format(*found[key]) for key, form in units.items() if len(found.get(key, [])) == form.count("{}")]
    return f"recordings like those it learned from: {', '.join(told)}" if told else ""


def _sets(about: Mapping[str, Any]) -> list[str]:
    measured = about.get("extractors")
    sets = [one for one in measured if isinstance(one, dict)] if isinstance(measured, list) else []
    return [f"{one.get('set', '')} (version {one.get('version', '?')})" for one in sets]


def _asks(about: Mapping[str, Any]) -> str:
    mode = about.get("normalize")
    return {"none": "nothing", None: ""}.get(mode, f"what normalisation {mode} takes: see the protocol")


def _scored(model: Registered) -> str:
    tags = model.tags
    interval = f" (95 % interval {tags['interval']})" if tags.get("interval") else ""
    return f"{tags['metric']} {tags['score']}{interval}" if {"metric", "score"} <= tags.keys() else ""


def _row(model: Registered) -> list[str]:
    tags = model.tags
    when = pd.Timestamp(model.created_ms, unit="ms").strftime("%Y-%m-%d %H:%M") if model.created_ms else ""
    score = f"{tags.get('metric', '')} {tags.get('score', '')}".strip()
    aliases = ", ".join(model.aliases)
    return [str(model.version), tags.get("experiment", ""), score, tags.get("interval", ""), when, aliases]
