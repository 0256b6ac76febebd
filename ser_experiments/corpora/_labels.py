"""Label schemes: which codes count, under which class; own maps on top of them; and what was left out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments import identity
from ser_experiments.errors import InputError, nearest
from ser_experiments.task import Classes

#: Between the name of a scheme and own changes of it.
_OWN = "+"
#: A name of own changes that is longer is a digest: it becomes a part of the names of folders.
_LONGEST_NAME = 60
#: Words in a message before it says how many more there are.
_SHOWN = 12


@dataclass(frozen=True)
class LeftOut:
    """What a label scheme made no use of: words without a class, and classes without a row.

    Parameters
    ----------
    scheme : str
        Its name.
    n_rows : int
        Utterances before.
    unknown, dropped : mapping of str to int
        Utterances by the corpus's word: those that the scheme has no class for, and those that ``--drop`` took out.
    hints : mapping of str to str
        A word that the scheme knows, by an unknown one that is written much like it.
    empty : tuple of str
        Classes of the scheme that no utterance has.
    alike : tuple of (str, str)
        Classes that are written much alike; perhaps one of them is a slip of the pen.
    """

    scheme: str = ""
    n_rows: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    alike: tuple[tuple[str, str], ...] = ()

    @property
    def lines(self) -> list[str]:
        """Say it in words, one line each; nothing where every utterance has a class and every class an utterance."""
        said = []
        if self.unknown:
            n_gone = sum(self.unknown.values())
            shown = _counted({self._asked(word): n for word, n in self.unknown.items()})
            said.append(
                f"labels {self.scheme} left out {n_gone} of {self.n_rows} utterances, whose words have no class in it: "
                f"{shown}; --map WORD=CLASS gives a word one"
            )
        if self.dropped:
            n_gone = sum(self.dropped.values())
            said.append(f"--drop left out {n_gone} of {self.n_rows} utterances: {_counted(self.dropped)}")
        if self.empty:
            said.append(f"labels {self.scheme}: no utterance is {' or '.join(map(repr, self.empty))}: not a class here")
        said += [f"labels {self.scheme}: {a!r} beside {b!r}: if they are one class, say --map {quoted(f'{a}={b}')}"
                 for a, b in self.alike]  # fmt: skip
        return said

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON of it holds."""
        return {
            "unknown": dict(self.unknown),
            "dropped": dict(self.dropped),
            "did_you_mean": dict(self.hints),
            "empty_classes": list(self.empty),
        }

    def _asked(self, word: str) -> str:
        return f"{word} (did you mean {self.hints[word]!r}?)" if word in self.hints else word


def _counted(words: Mapping[str, int]) -> str:
    listed = [f"{word} {n}" for word, n in words.items()]
    more = f" and {len(listed) - _SHOWN} other words" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def quoted(text: str) -> str:
    """Return a word of a command line as a shell takes it."""
    import shlex

    return shlex.quote(text)


def folded(word: str) -> str:
    """Return a word as all its spellings have it: without case, marks on letters and white space."""
    plain = unicodedata.normalize("NFKD", word).casefold()
    return "".join(one for one in plain if not one.isspace() and not unicodedata.combining(one))


def letters(word: str) -> str:
    """Return the letters and digits of a word, folded."""
    return "".join(one for one in folded(word) if one.isalnum())


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
    map : mapping of str to str
        Own changes: a word, code or class to the class it counts as.
    drop : tuple of str
        Own changes: words, codes or classes that are left out.
    """

    name: str
    classes: Mapping[str, str]
    note: str
    map: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    def changed(self, own: Mapping[str, str], drop: Sequence[str], utterances: pd.DataFrame) -> LabelScheme:
        """Return the scheme with own changes, which are a part of its name.

        Parameters
        ----------
        own : mapping of str to str
            ``--map``: a word to the class it counts as.
        drop : sequence of str
            ``--drop``: words that are left out.
        utterances : DataFrame
            Whose words are meant, in whatever case and spelling.

        Raises
        ------
        InputError
            A word is both, or a class is none of the scheme.
        """
        if not own and not drop:
            return self
        words = utterances["emotion"].unique()
        spelled = {old: _spelled(old, words) for old in (*own, *drop)}
        targets = {spelled[old]: self._target(old, new, words) for old, new in own.items()}
        drop = [spelled[old] for old in drop]
        both = sorted(set(targets) & set(drop))
        if both:
            raise InputError(f"--map and --drop both name {both[0]!r}; say one of them")
        kept, gone = dict(sorted(targets.items())), tuple(sorted(set(drop)))
        changes = [*(f"{old}={new}" for old, new in kept.items()), *(f"-{word}" for word in gone)]
        shown = ",".join(changes)
        if len(shown) > _LONGEST_NAME:
            shown = identity.of(changes, size=identity.SHORT)
        return replace(self, name=f"{self.name}{_OWN}{shown}", map=kept, drop=gone)

    @property
    def base(self) -> str:
        """The name without own changes, as written after ``--labels``."""
        return self.name.partition(_OWN)[0]

    def _target(self, old: str, new: str, words: Iterable[str]) -> str:
        """Return the class that a word shall count as."""
        if not self.classes:
            return _spelled(new, words)
        new = _spelled(new, self.classes.values())
        if new in self.classes.values():
            return new
        code = new if new in self.classes else ALIASES.get(new.lower(), "")
        if code not in self.classes:
            known = {*self.classes.values()}
            raise InputError(
                f"--map {old}={new}: {new!r} is no class of labels {self.name}{nearest(new, known)}"
                "; other classes go with --labels as-is"
            )
        return self.classes[code]

    @property
    def rule(self) -> str:
        """The rule in words, e.g. ``"angry = ang; happy = hap + exc"``, own changes after it."""
        merged: dict[str, list[str]] = {}
        for code, label in self.classes.items():
            merged.setdefault(label, []).append(code)
        plain = [f"{label} = {' + '.join(codes)}" for label, codes in sorted(merged.items())]
        own = [f"{old} counts as {new}" for old, new in self.map.items()]
        gone = [f"without {' and '.join(self.drop)}"] if self.drop else []
        return "; ".join([*plain, *own, *gone])

    def apply(self, utterances: pd.DataFrame) -> pd.DataFrame:
        """Return the utterances that the rule names, with the truth of :meth:`task` in columns of their own.

        Parameters
        ----------
        utterances : DataFrame
            As a corpus's reader gives them: the corpus's word in ``emotion``, and perhaps the code that it stands for
            in ``code`` (see :data:`ALIASES`); without that column the words are the codes.

        Raises
        ------
        InputError
            ``--map`` or ``--drop`` names what no utterance is labelled.
        """
        label, _ = self._labels(utterances)
        return utterances.assign(label=label)[label.notna().to_numpy()]

    def left_out(self, utterances: pd.DataFrame) -> LeftOut:
        """Return what :meth:`apply` makes no use of, by word and count."""
        label, dropped = self._labels(utterances)
        words = utterances["emotion"]
        unknown = _counts(words[(label.isna() & ~dropped).to_numpy()])
        known = {*self.classes, *self.classes.values(), *(w for w, code in ALIASES.items() if code in self.classes)}
        # Codes of three letters are alike by chance.
        close = {word: get_close_matches(word, sorted(known), n=1, cutoff=0.75) for word in unknown if len(word) > 3}
        found = set(label.dropna())
        taken = {self.classes.get(code, code) for code in [*self.drop, *(ALIASES.get(w, w) for w in self.drop)]}
        return LeftOut(
            self.name,
            len(utterances),
            unknown,
            _counts(words[dropped.to_numpy()]),
            {word: one[0] for word, one in close.items() if one},
            tuple(sorted({*self.classes.values(), *self.map.values()} - found - taken)),
            () if self.classes else tuple(self._alike(sorted(found))),
        )

    def ask(self, utterances: pd.DataFrame, where: str) -> None:
        """Ask about words that are classes of their own only because nobody said that they mean one thing.

        Raises
        ------
        InputError
            Two classes are one elsewhere, such as ``happy`` and ``happiness``, or one word in two spellings; how to
            join them and how to keep both is said.
        """
        if self.classes:
            return
        count = _counts(utterances["label"])
        same: dict[str, list[str]] = {}
        for word in sorted(count):
            same.setdefault(ALIASES.get(word, ALIASES.get(folded(word), folded(word))), []).append(word)
        for spellings in same.values():
            # A word that counts as itself was decided on.
            if sum(self.map.get(word) != word for word in spellings) < 2:
                continue
            most = max(spellings, key=lambda word: (word in self.map.values(), count[word]))
            rest = [word for word in spellings if word != most]
            raise InputError(
                f"{where}: {' and '.join(f'{w!r} ({count[w]})' for w in spellings)} would be classes of their own; say "
                f"{' '.join('--map ' + quoted(f'{w}={most}') for w in rest)} to join them, or "
                f"{' '.join('--map ' + quoted(f'{w}={w}') for w in rest)} to keep them apart"
            )

    def _labels(self, utterances: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        """Return the class of each utterance, None where it has none, and whether ``--drop`` took it out."""
        codes = utterances["code"] if "code" in utterances else utterances["emotion"]
        plain = codes.map(dict(self.classes)) if self.classes else utterances["emotion"]
        label = plain.astype(object).where(plain.notna(), None)
        dropped = pd.Series(False, index=utterances.index)
        for old, new in self.map.items():
            label = label.mask(self._named(old, utterances, codes, plain, f"--map {old}={new}"), new)
        for old in self.drop:
            named = self._named(old, utterances, codes, plain, f"--drop {old}")
            label, dropped = label.mask(named, None), dropped | named
        return label, dropped

    def _named(
        self, word: str, utterances: pd.DataFrame, codes: pd.Series, plain: pd.Series, said: str
    ) -> NDArray[np.bool_]:
        """Say of each utterance whether an own change means it: by the corpus's word, the class, or the code."""
        means = [utterances["emotion"] == word, plain == word]
        means += [codes == ALIASES.get(word, word)] if self.classes else []
        for named in means:
            if named.any():
                return named.to_numpy(dtype=bool)
        known = {*utterances["emotion"], *plain.dropna()}
        raise InputError(f"{said}: no utterance is labelled {word!r}{nearest(word, known)}")

    def _alike(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Return pairs of words of which one may be a slip of the pen."""
        plain = [one for one in names if one.isalpha() and len(one) >= 4 and one not in self.map.values()]
        pairs = [(a, b) for a, b in combinations(names, 2) if letters(a) and letters(a) == letters(b)]
        pairs = [pair for pair in pairs if not {*pair} & {*self.map.values()}]
        for place, one in enumerate(plain):
            near = get_close_matches(one, plain[place + 1 :], n=3, cutoff=0.85)
            pairs += [(one, other) for other in near if other[0] == one[0]]
        return pairs

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


def _spelled(word: str, known: Iterable[str]) -> str:
    """Return the known word that is the same but for case, marks and separators; the word itself where none is."""
    names = set(known)
    same = sorted(one for one in names if letters(one) == letters(word))
    return word if word in names or len(same) != 1 else same[0]


def _counts(words: pd.Series) -> dict[str, int]:
    """Count words, the most frequent first."""
    return {str(word): int(n) for word, n in words.value_counts().items()}


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
        "fea": ("fea", "fear", "fearful", "afraid", "angst"),
        "dis": ("dis", "disgust", "disgusted", "ekel"),
        "oth": ("oth", "other"),
        "xxx": ("xxx",),
        # No scheme of ours names these; they tell which words mean one thing.
        "cal": ("cal", "calm", "calmness"),
        "bor": ("bor", "bored", "boredom", "langeweile"),
        "con": ("contempt", "contemptuous"),
        "anx": ("anxious", "anxiety"),
    }.items()
    for word in words
}
