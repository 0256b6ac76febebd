"""What ``model.json`` may hold: everything in it that is used, checked before anything is made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ser_experiments.errors import InputError
from ser_experiments.serving.inspection.recorded import is_recorded
from ser_experiments.words import check_word, in_one_line

#: Texts beside the words: a note is a sentence.
_LONGEST_NOTE, _MOST_NOTES = 2000, 100
#: Said of a model that does not say it.
_UNNAMED = "unnamed"


def check_about(meta: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return what a model says of itself, refusing what is no such thing.

    Parameters
    ----------
    meta : mapping
        Of ``model.json``, as it was parsed.
    where : str
        Begins each message.

    Raises
    ------
    InputError
        A field has another type, is no word, or holds numbers that are none. Fields that are not known are passed on.
    """
    for name, (fits, wanted) in _FIELDS.items():
        if name in meta and not fits(meta[name]):
            raise InputError(f"{where}: {name!r} must be {wanted}; the file was changed or is no model's")
    for name in ("experiment", "setting"):
        check_word(meta.get(name, _UNNAMED), f"{where}: {name}")
    for name in ("classes", "columns", "residuals", "scale"):
        for word in meta.get(name, ()):
            check_word(word, f"{where}: {name}")
    for word in meta.get("task", {}).get("targets", ()):
        check_word(word, f"{where}: target")
    said = {"notes": [in_one_line(note)[:_LONGEST_NOTE] for note in meta["notes"]]} if "notes" in meta else {}
    return {"experiment": _UNNAMED, "setting": _UNNAMED, **meta, **said}


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_names(value: object) -> bool:
    return _is_texts(value) and len(set(value)) == len(value) > 0  # type: ignore[arg-type, call-overload]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_range(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]


def _are_ranges(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_range, value.values()))


def _is_task(value: object) -> bool:
    return isinstance(value, dict) and _is_text(value.get("kind")) and _are_names(value.get("targets"))


def _is_training(value: object) -> bool:
    if not isinstance(value, dict) or not value:
        return value == {}
    ranges = [one for name, one in value.items() if name in ("duration_s", "rms_db")]
    return _is_number(value.get("sample_rate")) and all(map(_is_range, ranges))


def _is_known_table(value: object) -> bool:
    if not isinstance(value, dict) or not value:
        return value == {}
    ends = [value.get("low"), value.get("high")]
    if not _are_names(value.get("columns")) or not _is_number(value.get("most")):
        return False
    return all(
        isinstance(one, list) and len(one) == len(value["columns"]) and all(map(_is_number, one)) for one in ends
    )


def _is_abstention(value: object) -> bool:
    if not isinstance(value, dict) or not value.keys() >= {"risks", "sure", "far"}:
        return False
    lists = [value[name] for name in ("risks", "sure", "far")]
    if not all(isinstance(one, list) and one and all(map(_is_number, one)) for one in lists):
        return False
    return len({len(one) for one in lists}) == 1 and lists[0] == sorted(lists[0])


def _are_sets(value: object) -> bool:
    pairs = value if isinstance(value, list) else [None]
    return all(isinstance(p, list) and len(p) == 2 and _is_text(p[0]) and isinstance(p[1], dict) for p in pairs)


def _are_extractors(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) and _is_text(one.get("set")) for one in value)


def _are_notes(value: object) -> bool:
    return _is_texts(value) and len(value) <= _MOST_NOTES  # type: ignore[arg-type]


#: By field: whether a value fits, and what it must be.
_FIELDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "task": (_is_task, "a kind and its targets"),
    "classes": (_are_names, "a list of classes, each once"),
    "estimators": (_is_texts, "a list of types"),
    "experiment": (_is_text, "text"),
    "setting": (_is_text, "text"),
    "rows": (_is_text, "text"),
    "run_id": (_is_text, "text"),
    "normalize": (_is_text, "text"),
    "notes": (_are_notes, f"a list of at most {_MOST_NOTES} texts"),
    "training": (_is_training, "a sample_rate with ranges of duration_s and rms_db"),
    "residuals": (_are_ranges, "low and high by target"),
    "scale": (_are_ranges, "low and high by target"),
    "measured": (_is_known_table, "columns, each with a low and a high end, and the most that lies beyond"),
    "recordings": (is_recorded, "what the recordings of the training were like"),
    "abstention": (_is_abstention, "risks in rising order, each with a number of sure and far"),
    "columns": (_are_names, "a list of columns, each once"),
    "sets": (_are_sets, "a list of feature sets with their parameters"),
    "extractors": (_are_extractors, "a list of what measures the features"),
}
