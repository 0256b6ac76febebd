"""What a corpus is: its facts, what its reader found, and what is left of it under a label rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ser_experiments import identity
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._labels import LabelScheme
from ser_experiments.corpora._left_out import LeftOut
from ser_experiments.corpora._options import Option
from ser_experiments.corpora._rules._rule import Rule
from ser_experiments.shown import counted, html, named, several
from ser_experiments.task import Task
from ser_experiments.words import in_one_line


@dataclass(frozen=True)
class Reading:
    """What a corpus's reader found under a root.

    Parameters
    ----------
    name : str
        The corpus as it stands in a setting.
    root : Path
        The folder that was read.
    utterances : DataFrame
        Every utterance, as :func:`ser_experiments.frames.check_utterances` wants it: indexed by ``utterance_id``, with
        ``path``, ``start_s``, ``end_s`` (NaN for a whole file), ``speaker``, ``session``, ``gender`` (both None where
        not known) and the corpus's word in ``emotion``. The reader may add

        - ``code``: what the word stands for in label schemes, where these are written in other words;
        - ``scenario``: what ``--subset`` chooses by; ``dialog``, ``text_id`` (of what is said), ``votes``;
        - ``partition``: ``"train"``, ``"dev"`` or ``"test"`` in the corpus's official split;
        - ``published_NAME``: the fold, or the partition, in a cut that others have published;
        - whatever else the corpus knows of an utterance.
    notes : tuple of str
        What a user should know: missing parts, values out of range. One line each.
    places : mapping of str to str
        Where utterances are written, for messages, e.g. ``"line 12"``; by utterance id.
    """

    name: str
    root: Path
    utterances: pd.DataFrame
    notes: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CorpusSpec:
    """One corpus: each file of this package holds one as ``SPEC``.

    Parameters
    ----------
    name : str
        The file's name.
    title, licence, citation : str
        Facts for ``ser corpora list``.
    read : callable
        ``read(root, **options) -> Reading``; the root is a Path.
    schemes : mapping of str to LabelScheme
        The label schemes; the first is the default. A scheme without classes takes the words as they are.
    subsets : sequence of str
        Values of ``--subset``; the first is the default. All but ``all`` are values of the column ``scenario``.
    recognises : callable, optional
        ``recognises(root) -> bool``: whether a root looks like this corpus, for users who name none.
    told_by : callable, optional
        ``told_by(written) -> dict`` of what a recording's path tells without the recording: ``utterance_id`` and
        columns of utterances such as ``speaker`` and ``text_id``; None of a path that is none of this corpus.
    make : callable, optional
        ``make(folder, **options) -> Path`` makes the corpus in a folder of the project's cache, where no root is given,
        and returns its root. Nothing is ever written into a root that somebody gave.
    shares_room : bool
        Whether the speakers of one session were recorded together, so that each is heard in the other's files.
    synthetic : bool
        Whether nobody speaks: its models are registered only to try the registry.
    warning : str
        Said with every result on this corpus.
    expected : callable, optional
        ``expected() -> DataFrame`` of known counts, for ``ser corpora describe``; see
        :func:`ser_experiments.corpora._describe.compare_counts`.
    options : sequence of Option
        What the reader can be told on the command line.
    ceilings : mapping of (str, str, str) to float
        Label scheme, subset and protocol to the UAR that no model of functionals ever had there without a leak. It is
        held against runs on such features alone: see :attr:`ser_experiments.features.extractor.Extractor.handcrafted`.
    facts : Facts
        Language, size and how the emotions came about, for ``ser corpora list``.
    published : mapping of str to str
        The cuts that others have published, by the end of their columns ``published_NAME``, to where they stand.
    read_table : callable, optional
        ``read_table(table, root, **options) -> Reading`` of a table that a user made, which has no file.
    """

    name: str
    title: str
    licence: str
    citation: str
    read: Callable[..., Reading]
    schemes: Mapping[str, LabelScheme]
    subsets: Sequence[str] = ("all",)
    recognises: Callable[[Path], bool] | None = None
    told_by: Callable[[str], Mapping[str, object] | None] | None = None
    make: Callable[..., Path] | None = None
    shares_room: bool = False
    synthetic: bool = False
    warning: str = ""
    expected: Callable[[], pd.DataFrame] | None = None
    options: Sequence[Option] = ()
    ceilings: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    published: Mapping[str, str] = field(default_factory=dict)
    read_table: Callable[..., Reading] | None = None


@dataclass(frozen=True)
class Corpus:
    """A corpus under one label rule, ready for features.

    Parameters
    ----------
    spec : CorpusSpec
        The facts.
    name : str
        The name in the setting; for a manifest its own.
    root : Path
        Where it lies.
    labels : Rule
        The label rule.
    subset : str
        Which scenarios were kept.
    utterances : DataFrame
        One row an utterance, as :class:`Reading` says, with the truth of the task (of classes ``label``) after
        ``gender``.
    notes : tuple of str
        What a user should know about this copy.
    left_out : LeftOut
        What the label rule made no use of.
    parts : tuple of str
        Of corpora that were put together, the names of those that are trained on.
    tested : str
        The name of the corpus that is tested instead, where there is one.
    readers : mapping of str to str
        By the name in the setting, which corpus (``spec.name``) read it: a copy may be called otherwise.
    """

    spec: CorpusSpec
    name: str
    root: Path
    labels: Rule
    subset: str
    utterances: pd.DataFrame
    notes: tuple[str, ...] = field(default=())
    left_out: LeftOut = field(default_factory=LeftOut)
    parts: tuple[str, ...] = ()
    tested: str = ""
    readers: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Corpus {self._of}: {self._size}; {self._counts}"

    def _repr_html_(self) -> str:
        facts = {"size": self._size, self.task.kind: self._counts, "lies in": self.root}
        return html(f"Corpus {self._of}", facts, notes=(*self.notes, *self.left_out.lines))

    @property
    def _of(self) -> str:
        part = "" if self.subset == "all" else f", {self.subset}"
        return in_one_line(f"{self.name} ({self.labels.name}{part})")

    @property
    def _size(self) -> str:
        sessions = self.utterances["session"].nunique()
        return ", ".join([several(len(self.utterances), "utterance"), several(self.utterances["speaker"].nunique(),
                          "speaker"), *([several(sessions, "session")] if sessions else [])])  # fmt: skip

    @property
    def _counts(self) -> str:
        if "label" not in self.utterances:
            return named(self.classes)
        return counted(self.utterances["label"].value_counts().sort_index().to_dict())

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the corpora that its utterances are of."""
        return (*(self.parts or (self.name,)), *([self.tested] if self.tested else []))

    @property
    def task(self) -> Task:
        """Return what is predicted."""
        return self.labels.task(self.utterances, f"corpus {self.name!r}")

    @property
    def classes(self) -> list[str]:
        """Return the targets of the task: the classes in alphabetical order."""
        return list(self.task.targets)

    @property
    def row_digest(self) -> str:
        """Return 12 hexadecimal digits for which utterances there are, who speaks them and how they are labelled."""
        return identity.of_rows(self.utterances, ["speaker", "session", *self.task.truth_columns])
