"""A label scheme: which codes count, under which class, and own changes on top of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments import identity
from ser_experiments.corpora._aliases import ALIASES
from ser_experiments.corpora._alike import check_alike, slips
from ser_experiments.corpora._left_out import LeftOut
from ser_experiments.corpora._spelling import spelled
from ser_experiments.corpora._votes import NO_AGREEMENT, by_class, has_votes
from ser_experiments.errors import InputError, nearest
from ser_experiments.tasks.classes import Classes
from ser_experiments.words import check_word, check_words

#: Between the name of a scheme and own changes of it.
_OWN = "+"
#: A name of own changes that is longer is a digest: it becomes a part of the names of folders.
_LONGEST_NAME = 60


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
    base : str
        The name without own changes, as written after ``--labels``; empty where there are none.
    column : str
        The column that holds the words that are meant, where a corpus has them of several sources, such as what was
        acted and what was heard; by default ``emotion``.
    among_others : bool
        Whether own changes may name words that another corpus has, which is read beside this one.
    """

    name: str
    classes: Mapping[str, str]
    note: str
    map: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    base: str = ""
    column: str = ""
    among_others: bool = False

    def changed(
        self,
        own: Mapping[str, str] | Sequence[str],
        drop: Sequence[str],
        utterances: pd.DataFrame,
        *,
        among_others: bool = False,
    ) -> LabelScheme:
        """Return the scheme with own changes, which are a part of its name; itself where there are none.

        Parameters
        ----------
        own : mapping of str to str, or sequence of "word=class"
            ``--map``: a word to the class it counts as.
        drop : sequence of str
            ``--drop``: words that are left out; text is one word.
        utterances : DataFrame
            Whose words are meant, in whatever case and spelling.
        among_others : bool
            Whether some may be words of another corpus.

        Raises
        ------
        InputError
            A pair is none, a word is both or counts as two classes, or a class is none of the scheme.
        """
        if not own and not drop:
            return self
        own, drop = _pairs(own), [drop] if isinstance(drop, str) else drop
        check_words(drop, "--drop")
        words = self._meant(utterances)["emotion"].unique()
        targets = {spelled(old, words): self._target(old, new, words) for old, new in own.items()}
        kept, gone = dict(sorted(targets.items())), tuple(sorted({spelled(old, words) for old in drop}))
        both = [word for word in gone if word in kept]
        if both:
            raise InputError(f"--map and --drop both name {both[0]!r}; say one of them")
        changes = [*(f"{old}={new}" for old, new in kept.items()), *(f"-{word}" for word in gone)]
        shown = ",".join(changes)
        if len(shown) > _LONGEST_NAME:
            shown = identity.of(changes, size=identity.SHORT)
        name = f"{self.name}{_OWN}{shown}"
        return replace(self, name=name, map=kept, drop=gone, base=self.name, among_others=among_others)

    @property
    def own(self) -> dict[str, object]:
        """Return own changes as a card keeps them; empty where there are none."""
        changed = self.map or self.drop
        return {"labels": self.base, "map": dict(self.map), "drop": list(self.drop)} if changed else {}

    def among(self, targets: Sequence[str]) -> LabelScheme:
        """Return itself: which classes there are is told by the utterances."""
        return self

    def _target(self, old: str, new: str, words: Iterable[str]) -> str:
        """Return the class that a word shall count as."""
        if not self.classes:
            return spelled(new, words)
        new = spelled(new, self.classes.values())
        found = self._class_of(new)
        if found is None:
            raise InputError(
                f"--map {old}={new}: {new!r} is no class of labels {self.name}{nearest(new, {*self.classes.values()})}"
                "; other classes go with --labels as-is"
            )
        return found

    def _class_of(self, word: str) -> str | None:
        """Return the class that a class, code or word is; None where the scheme has none for it."""
        if word in self.classes.values():
            return word
        return self.classes.get(word, self.classes.get(ALIASES.get(word.lower(), "")))

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
        utterances = self._meant(utterances)
        label, _ = self._labels(utterances)
        return utterances.assign(label=label)[label.notna().to_numpy()]

    def counts(self, utterances: pd.DataFrame) -> pd.DataFrame | None:
        """Return how often raters said each class of each utterance, one column a class; None where nobody voted.

        Own changes that name words of the corpus alone, and none of its raters, change no vote.
        """
        if not has_votes(utterances):
            return None
        return by_class(utterances, replace(self, column="", among_others=True).apply)

    def left_out(self, utterances: pd.DataFrame, codes: Iterable[str] = ()) -> LeftOut:
        """Return what :meth:`apply` makes no use of, by word and count.

        Parameters
        ----------
        utterances : DataFrame
            As for :meth:`apply`.
        codes : iterable of str
            What the corpus knows besides the codes of :data:`ser_experiments.corpora.ALIASES`: whatever of these the
            scheme has no class for is left out by design, other words may be slips of the pen.
        """
        utterances = self._meant(utterances)
        label, dropped = self._labels(utterances)
        words, found = utterances["emotion"], set(label.dropna())
        gone = (label.isna() & ~dropped).to_numpy()
        unknown = _counts(words[gone])
        by_design = words[gone & _codes(utterances).isin({*ALIASES.values(), *codes}).to_numpy()]
        without_rows = {*self.classes.values(), *self.map.values()} - found
        return LeftOut(
            self.name,
            len(utterances),
            unknown=unknown,
            dropped=_counts(words[dropped.to_numpy()]),
            by_design=tuple(sorted(by_design.unique())),
            hints=self._hints(set(unknown) - set(by_design)),
            empty=tuple(sorted(without_rows - {self._class_of(word) or word for word in self.drop})),
            alike=() if self.classes else tuple(slips(found, self.map.values())),
            unused=tuple(word for word in (*self.map, *self.drop) if not self._means(word, utterances).any()),
        )

    def _hints(self, strange: Iterable[str]) -> dict[str, str]:
        """Return by word what the scheme knows and what is written much like it."""
        known = {*self.classes, *self.classes.values(), *(w for w, code in ALIASES.items() if code in self.classes)}
        # Codes of three letters are alike by chance.
        close = {word: get_close_matches(word, sorted(known), n=1, cutoff=0.75) for word in strange if len(word) > 3}
        return {word: found[0] for word, found in close.items() if found}

    def ask(self, utterances: pd.DataFrame, where: str) -> None:
        """Ask about words of utterances that :meth:`apply` left where every word is its own class.

        Raises
        ------
        InputError
            Two of them may be one class, as :func:`ser_experiments.corpora._alike.check_alike` says.
        """
        if not self.classes:
            check_alike(_counts(utterances["label"]), self.map, where)

    def _meant(self, utterances: pd.DataFrame) -> pd.DataFrame:
        """Return the utterances with the words that this scheme is about in ``emotion``; those without one are away."""
        if not self.column:
            return utterances
        if self.column not in utterances:
            raise InputError(f"labels {self.name}: this copy has no {self.column!r}; {self.note}")
        words = utterances[self.column]
        codes = words.map(lambda word: ALIASES.get(word, word), na_action="ignore")
        return utterances.assign(emotion=words, code=codes)[words.notna().to_numpy()]

    def _labels(self, utterances: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        """Return the class of each utterance, None where it has none, and whether ``--drop`` took it out."""
        plain = self._plain(utterances)
        label = plain.astype(object).where(plain.notna(), None)
        dropped = pd.Series(False, index=utterances.index)
        for old, new in self.map.items():
            label = label.mask(self._named(old, utterances, f"--map {old}={new}"), new)
        for old in self.drop:
            named = self._named(old, utterances, f"--drop {old}")
            label, dropped = label.mask(named, None), dropped | named
        return label, dropped

    def _plain(self, utterances: pd.DataFrame) -> pd.Series:
        """Return the class of each utterance without own changes; that raters did not agree is no class of its own."""
        if self.classes:
            return _codes(utterances).map(dict(self.classes))
        return utterances["emotion"].where((utterances["emotion"] != NO_AGREEMENT).to_numpy(), None)

    def _means(self, word: str, utterances: pd.DataFrame) -> NDArray[np.bool_]:
        """Say of each utterance whether an own change means it: by the corpus's word, the class, or the code."""
        means = [utterances["emotion"] == word, self._plain(utterances) == word]
        means += [_codes(utterances) == ALIASES.get(word, word)] if self.classes else []
        return next((one for one in means if one.any()), means[0]).to_numpy(dtype=bool)

    def _named(self, word: str, utterances: pd.DataFrame, said: str) -> NDArray[np.bool_]:
        named = self._means(word, utterances)
        if not named.any() and not self.among_others:
            known = {*utterances["emotion"], *self._plain(utterances).dropna()}
            raise InputError(f"{said}: no utterance is labelled {word!r}{nearest(word, known)}")
        return named

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


def _pairs(given: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """Return own maps by word."""
    if isinstance(given, Mapping):
        check_words((*given, *given.values()), "--map")
        return dict(given)
    found: dict[str, str] = {}
    for item in [given] if isinstance(given, str) else given:
        old, equals, new = (check_word(part.strip(), "--map") for part in item.partition("="))
        if not equals or not old or not new:
            raise InputError(f"--map {item!r}: expected WORD=CLASS, e.g. joy=happy")
        if found.setdefault(old, new) != new:
            raise InputError(f"--map {old}={new}: {old!r} counts as {found[old]!r} already; say one of them")
    return found


def _codes(utterances: pd.DataFrame) -> pd.Series:
    """Return what the words of utterances stand for in label schemes; without a column of codes they are codes."""
    return utterances["code"] if "code" in utterances else utterances["emotion"]


def _counts(words: pd.Series) -> dict[str, int]:
    """Count words, the most frequent first."""
    return {str(word): int(n) for word, n in words.value_counts().items()}
