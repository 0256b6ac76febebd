"""The label schemes in use on IEMOCAP."""

from __future__ import annotations

from ser_experiments.corpora._labels import LabelScheme

_FOUR = {"ang": "angry", "hap": "happy", "exc": "happy", "neu": "neutral", "sad": "sad"}
_SIX = {"ang": "angry", "hap": "happy", "exc": "excited", "fru": "frustrated", "neu": "neutral", "sad": "sad"}

#: By name; other corpora have them through :data:`ser_experiments.corpora.ALIASES`.
SCHEMES: dict[str, LabelScheme] = {
    scheme.name: scheme
    for scheme in (
        LabelScheme("4class", _FOUR, "the field's standard: excited counts as happy"),
        LabelScheme(
            "4class-happy-only",
            {code: label for code, label in _FOUR.items() if code != "exc"},
            "without excited, as in older notebooks",
        ),
        LabelScheme("5class", {**_FOUR, "fru": "frustrated"}, "the standard four and frustrated"),
        LabelScheme("6class", _SIX, "happy and excited apart"),
        LabelScheme(
            "8class",
            {**_SIX, "sur": "surprised", "dis": "disgusted"},
            "the eight emotions the corpus is described with",
        ),
    )
}
