"""What a corpus is, and how one is loaded by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ser_experiments import frames, identity, plugins
from ser_experiments import project as projects
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._labels import LabelScheme
from ser_experiments.corpora._left_out import LeftOut, of_no_subset
from ser_experiments.corpora._options import PACKAGE, Option, check_option
from ser_experiments.corpora._spelling import check_spelling
from ser_experiments.errors import InputError, nearest
from ser_experiments.files import path_of
from ser_experiments.project import Project
from ser_experiments.task import Task
from ser_experiments.words import check_word


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
    """

    name: str
    title: str
    licence: str
    citation: str
    read: Callable[..., Reading]
    schemes: Mapping[str, LabelScheme]
    subsets: Sequence[str] = ("all",)
    recognises: Callable[[Path], bool] | None = None
    make: Callable[..., Path] | None = None
    shares_room: bool = False
    synthetic: bool = False
    warning: str = ""
    expected: Callable[[], pd.DataFrame] | None = None
    options: Sequence[Option] = ()
    ceilings: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    published: Mapping[str, str] = field(default_factory=dict)


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
    labels : LabelScheme
        The label rule.
    subset : str
        Which scenarios were kept.
    utterances : DataFrame
        One row an utterance, as :class:`Reading` says, with the truth of the task (``label``) after ``gender``.
    notes : tuple of str
        What a user should know about this copy.
    left_out : LeftOut
        What the label rule made no use of.
    parts : tuple of str
        Of two corpora that were put together, the names: what is trained on first, then what is tested.
    """

    spec: CorpusSpec
    name: str
    root: Path
    labels: LabelScheme
    subset: str
    utterances: pd.DataFrame
    notes: tuple[str, ...] = field(default=())
    left_out: LeftOut = field(default_factory=LeftOut)
    parts: tuple[str, ...] = ()

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


def corpus_names() -> list[str]:
    """List the corpora there are, without importing them."""
    return plugins.names(PACKAGE)


def get_corpus(name: str) -> CorpusSpec:
    """Return the facts of a corpus; an unknown name is an InputError with the nearest one."""
    spec: CorpusSpec = plugins.load(PACKAGE, name, "corpus", holds="SPEC").SPEC
    return spec


def read_corpus(
    name: str, /, root: str | Path | None = None, *, project: Project | None = None, **options: object
) -> tuple[CorpusSpec, Reading]:
    """Read every utterance of a corpus, whatever its label.

    Parameters
    ----------
    name : str
        The corpus.
    root : path, optional
        Where it lies; by default ``SER_<CORPUS>_ROOT`` or the project's ``ser.toml``.
    project : Project, optional
        Knows roots, and the cache for what is made; without it a root must be given.
    **options
        What the corpus's reader takes besides.

    Raises
    ------
    InputError
        Unknown corpus or option, no root, a root that is not the corpus, or a reader that gives no proper table.
    """
    spec = get_corpus(name)
    for option in options:
        check_option(spec, option)
    return spec, _checked(spec, spec.read(_root(spec, root, project, options), **options))


def load_corpus(
    name: str,
    /,
    root: str | Path | None = None,
    labels: str | None = None,
    *,
    subset: str | None = None,
    map: Mapping[str, str] | Sequence[str] = (),
    drop: Sequence[str] = (),
    project: Project | None = None,
    as_spelled: bool = False,
    **options: object,
) -> Corpus:
    """Load a corpus under a label scheme.

    Parameters
    ----------
    name : str
        ``"demo"``, ``"iemocap"``, ``"manifest"`` or a plug-in.
    root : path, optional
        Where it lies; by default ``SER_<CORPUS>_ROOT`` or ``ser.toml``. The demo needs none.
    labels : str, optional
        A label scheme of the corpus; by default its first.
    subset : str, optional
        ``"all"`` (default) or a scenario of the corpus, such as ``"improvised"``.
    map : mapping of str to str, or sequence of "word=class"
        Words to the classes that they count as, whatever the scheme says.
    drop : sequence of str
        Words that are left out.
    project : Project, optional
        Knows roots, and the cache for what is made; by default that of the current folder.
    as_spelled : bool
        Whether speakers or sessions are two where their names differ in case, zeros or punctuation alone.
    **options
        What the corpus takes besides: ``name`` and ``allow_outside`` for a manifest, ``seed`` for the demo.

    Returns
    -------
    Corpus
        Its ``.utterances`` is the table of utterances.

    Raises
    ------
    InputError
        Unknown name, scheme, subset or option, a root that is not the corpus, a word to map or drop that nobody uses,
        words that may mean one class, one speaker or one class only, a speaker or session in two spellings.
    """
    spec = get_corpus(name)
    scheme = _scheme(spec, labels)
    subset = subset or spec.subsets[0]
    if subset not in spec.subsets:
        raise InputError(f"corpus {spec.name!r}: unknown subset {subset!r}{nearest(subset, spec.subsets)}")
    spec, reading = read_corpus(name, root, project=project or projects.find(), **options)
    table = reading.utterances
    if not as_spelled:
        check_spelling(table, f"corpus {reading.name!r}", reading.places)
    notes = reading.notes
    if subset != "all":
        notes = (*notes, *of_no_subset(table["scenario"], subset, spec.subsets))
        table = table[table["scenario"] == subset]
    scheme = scheme.changed(map, drop, table)
    codes = {code for one in spec.schemes.values() for code in one.classes}
    left_out, table = scheme.left_out(table, codes), scheme.apply(table)
    where = f"corpus {reading.name!r} (labels {scheme.name}, subset {subset})"
    if table.empty:
        said = "".join(f"; {line}" for line in left_out.lines[:1])
        raise InputError(f"{where}: no utterance left under {reading.root}; choose other --labels or --subset{said}")
    scheme.ask(table, where)
    task = scheme.task(table, where)
    if table["speaker"].nunique() < 2:
        only = table["speaker"].iloc[0]
        raise InputError(f"{where}: one speaker only ({only!r}); speaker-independent scores need at least two")
    first = [*frames.UTTERANCE_COLUMNS, *task.truth_columns]
    rest = [column for column in table.columns if column not in first]
    return Corpus(spec, reading.name, reading.root, scheme, subset, table[[*first, *rest]], notes, left_out)


def _root(spec: CorpusSpec, root: str | Path | None, project: Project | None, options: Mapping[str, object]) -> Path:
    if not root and project is not None:
        root = project.root(spec.name)
        if not root and spec.make is not None:
            return spec.make(project.cache / spec.name, **options)
    if not root:
        raise InputError(
            f"corpus {spec.name!r}: no root given; say --root PATH (ROOT=PATH with make), "
            f"set SER_{spec.name.upper()}_ROOT, or write it into ser.toml"
        )
    return path_of(root)


def _checked(spec: CorpusSpec, reading: Reading) -> Reading:
    """Check a reader's table before anything is made of it: what it forgot would show only after a run."""
    where = f"corpus {spec.name!r}"
    check_word(reading.name, f"{where}: name")
    if reading.utterances.empty:
        raise InputError(f"{where}: no utterances under {reading.root}")
    frames.check_utterances(reading.utterances, where, also=("emotion",))
    if len(spec.subsets) > 1 and "scenario" not in reading.utterances:
        raise InputError(f"{where}: no column 'scenario' to choose a subset by; its reader must give it")
    return reading


def _scheme(spec: CorpusSpec, labels: str | None) -> LabelScheme:
    name = labels or next(iter(spec.schemes))
    if name not in spec.schemes:
        raise InputError(f"corpus {spec.name!r}: unknown label scheme {name!r}{nearest(name, spec.schemes)}")
    return spec.schemes[name]
