"""Label schemes: which codes count, and under which class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.task import Classes


@dataclass(frozen=True)
class LabelScheme:
    """A rule from emotion codes to classes; codes it does not name are left out.

    Parameters
    ----------
    name : str
        As written after ``--labels``.
    classes : mapping of str to str
        Emotion code to class; none takes every word as its own class.
    note : str
        One line on who uses it.
    """

    name: str
    classes: Mapping[str, str]
    note: str

    @property
    def rule(self) -> str:
        """The rule in words, e.g. ``"angry = ang; happy = hap + exc"``."""
        merged: dict[str, list[str]] = {}
        for code, label in self.classes.items():
            merged.setdefault(label, []).append(code)
        return "; ".join(f"{label} = {' + '.join(codes)}" for label, codes in sorted(merged.items()))

    def apply(self, utterances: pd.DataFrame) -> pd.DataFrame:
        """Return the utterances that the rule names, with the truth of :meth:`task` in columns of their own.

        Parameters
        ----------
        utterances : DataFrame
            As a corpus's reader gives them: the corpus's word in ``emotion``, and perhaps the code that it stands for
            in ``code`` (see :data:`ALIASES`); without that column the words are the codes.
        """
        codes = utterances["code"] if "code" in utterances else utterances["emotion"]
        label = codes.map(dict(self.classes)) if self.classes else utterances["emotion"]
        return utterances.assign(label=label)[label.notna().to_numpy()]

    def task(self, utterances: pd.DataFrame, where: str) -> Classes:
        """Return what is predicted of utterances that :meth:`apply` left.

        Raises
        ------
        InputError
            There is nothing to tell apart; `where` begins the message.
        """
        task = Classes.of(utterances["label"])
        if len(task.targets) < 2:
            raise InputError(
                f"{where}: one class only ({task.targets[0]!r}); at least two are needed, choose other --labels"
            )
        return task


_FOUR = {"ang": "angry", "hap": "happy", "exc": "happy", "neu": "neutral", "sad": "sad"}
_SIX = {"ang": "angry", "hap": "happy", "exc": "excited", "fru": "frustrated", "neu": "neutral", "sad": "sad"}

#: The schemes in use on IEMOCAP, by name.
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

#: Words of other corpora for the same codes.
ALIASES: dict[str, str] = {
    word: code
    for code, words in {
        "ang": ("ang", "angry", "anger", "hot anger", "wut", "ärger"),
        "hap": ("hap", "happy", "happiness", "joy", "joyful", "freude"),
        "exc": ("exc", "excited", "excitement"),
        "neu": ("neu", "neutral", "neutrality"),
        "sad": ("sad", "sadness", "trauer"),
        "fru": ("fru", "frustrated", "frustration"),
        "sur": ("sur", "surprise", "surprised", "pleasant surprise"),
        "fea": ("fea", "fear", "fearful", "afraid"),
        "dis": ("dis", "disgust", "disgusted"),
        "oth": ("oth", "other"),
        "xxx": ("xxx",),
    }.items()
    for word in words
}
