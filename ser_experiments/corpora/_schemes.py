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

#: The class of each code that corpora of acted emotions are labelled with.
_CLASSES = {
    "ang": "angry", "hap": "happy", "neu": "neutral", "sad": "sad", "fea": "fearful", "dis": "disgusted",
    "sur": "surprised", "bor": "bored", "cal": "calm", "exc": "excited", "con": "contemptuous", "anx": "anxious",
}  # fmt: skip
_COMMON = {
    "4class": ("ang hap neu sad", "the four that most corpora have"),
    "6class": ("ang dis fea hap neu sad", "six that most acted corpora have, and not the six of IEMOCAP"),
}


def own(name: str, codes: str, note: str, *, column: str = "", **counts_as: str) -> LabelScheme:
    """Return a label scheme of a corpus.

    Parameters
    ----------
    name, note : str
        As for :class:`LabelScheme`.
    codes : str
        The codes that have a class, with blanks between them; a word without a code is its own class.
    column : str
        As for :class:`LabelScheme`.
    **counts_as
        A code to the class it counts as.
    """
    return LabelScheme(name, {one: _CLASSES.get(one, one) for one in codes.split()} | counts_as, note, column=column)


def schemes(*of_the_corpus: LabelScheme, common: str = "4class 6class") -> dict[str, LabelScheme]:
    """Return the label schemes of a corpus by name: its own, the first of them the default, then the common ones."""
    known = [own(name, *_COMMON[name]) for name in common.split()]
    return {scheme.name: scheme for scheme in [*of_the_corpus, *known]}
