"""What an audit found as JSON: printed, kept with a run, and read again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ser_experiments.errors import InputError
from ser_experiments.evaluation.audited import Audited, Heard, Robustness, Spoke
from ser_experiments.evaluation.compare import Difference
from ser_experiments.evaluation.fairness import UNKNOWN, Fairness, Part

FORMAT = "ser-audit/1"
#: Words of an audit that stand in it as they are.
_WORDS = ("experiment", "setting", "rows", "title", "changes", "seed", "program", "when")


def as_dict(audited: Audited) -> dict[str, Any]:
    """Return what JSON of an audit holds; a number that is none is None."""
    return {
        "format": FORMAT,
        **{name: getattr(audited, name) for name in _WORDS},
        "run_id": audited.run_id or None,
        "views": list(audited.views),
        "metric": audited.metric,
        "better": audited.better,
        "tolerated": audited.tolerated,
        audited.metric: _told(audited.score),
        "low": _told(audited.low),
        "high": _told(audited.high),
        "n_utterances": audited.n_utterances,
        "robustness": [_robust(one, audited.metric) for one in audited.robustness],
        "fairness": [_fair(one) for one in audited.fairness],
        "speakers": {one.name: _told(one.score) for one in audited.speakers},
        "speaker_utterances": {one.name: one.n_utterances for one in audited.speakers},
        "failed": audited.failed,
        "cannot_be_told": audited.those(UNKNOWN),
    }


def as_json(audited: Audited) -> str:
    """Return an audit as the text of a file."""
    return json.dumps(as_dict(audited), indent=2, ensure_ascii=False) + "\n"


def of_dict(told: Any, where: str) -> Audited:
    """Read what :func:`as_dict` returned.

    Raises
    ------
    InputError
        It is something else; `where` begins the message.
    """
    if not isinstance(told, Mapping) or told.get("format") != FORMAT:
        raise InputError(f"{where}: is no audit of this version ({FORMAT}); audit the run again")
    try:
        return _read_all(told)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{where}: is no whole audit ({type(error).__name__}: {error}); audit the run again"
        ) from error


def _read_all(told: Mapping[str, Any]) -> Audited:
    metric, better, tolerated = str(told["metric"]), int(told["better"]), float(told["tolerated"])
    counts = told["speaker_utterances"]
    return Audited(
        **{name: str(told[name]) for name in _WORDS},
        metric=metric,
        better=better,
        run_id=str(told["run_id"] or ""),
        views=tuple(str(one) for one in told["views"]),
        tolerated=tolerated,
        score=_read(told[metric]),
        low=_read(told["low"]),
        high=_read(told["high"]),
        robustness=[_robustness(one, metric, better, tolerated) for one in told["robustness"]],
        fairness=[_fairness(one) for one in told["fairness"]],
        speakers=[Spoke(str(name), _read(value), int(counts[name])) for name, value in told["speakers"].items()],
    )


def _robust(one: Robustness, metric: str) -> dict[str, Any]:
    fall = one.fall
    return {
        "condition": one.condition.name, "kind": one.condition.kind, "words": one.condition.words,
        metric: _told(one.score), "unchanged": _told(one.unchanged), "n_failed": one.n_failed,
        "fall": _told(fall.value), "fall_low": _told(fall.low), "fall_high": _told(fall.high),
        "standard_error": _told(fall.standard_error), "detectable": _told(fall.detectable),
        "n_groups": fall.n_groups, "verdict": one.verdict,
    }  # fmt: skip


def _told(value: float) -> float | None:
    """Return a number as JSON takes it, which knows neither NaN nor infinity."""
    return float(value) if math.isfinite(value) else None


def _read(value: Any) -> float:
    return math.nan if value is None else float(value)


def _fair(one: Fairness) -> dict[str, Any]:
    return {
        "by": one.by, "scores": _all_told(one.scores), "n_speakers": dict(one.n_speakers), **_verdict(one),
        "parts": [{"name": part.name, "scores": _all_told(part.scores), **_verdict(part)} for part in one.parts],
    }  # fmt: skip


def _verdict(one: Fairness | Part) -> dict[str, Any]:
    return {"difference": _told(one.difference), "threshold": _told(one.threshold), "verdict": one.verdict}


def _all_told(scores: Mapping[str, float]) -> dict[str, float | None]:
    return {name: _told(value) for name, value in scores.items()}


def _robustness(told: Mapping[str, Any], metric: str, better: int, tolerated: float) -> Robustness:
    value, low, high = (_read(told[name]) for name in ("fall", "fall_low", "fall_high"))
    error, detectable = _read(told["standard_error"]), _read(told["detectable"])
    return Robustness(
        Heard(str(told["condition"]), str(told["kind"]), str(told["words"])),
        _read(told[metric]),
        Difference(value, low, high, error, detectable, int(told["n_groups"]), better),
        _read(told["unchanged"]),
        int(told["n_failed"]),
        tolerated,
    )


def _fairness(told: Mapping[str, Any]) -> Fairness:
    parts = [Part(str(one["name"]), _all_read(one["scores"]), *_verdict_read(one)) for one in told["parts"]]
    n_speakers = {str(name): int(n) for name, n in told["n_speakers"].items()}
    return Fairness(str(told["by"]), _all_read(told["scores"]), n_speakers, *_verdict_read(told), parts)


def _all_read(scores: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): _read(value) for name, value in scores.items()}


def _verdict_read(told: Mapping[str, Any]) -> tuple[float, float, str]:
    return _read(told["difference"]), _read(told["threshold"]), str(told["verdict"])
