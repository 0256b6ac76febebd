"""What a corpus is, and how one is loaded by name."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ser_experiments import plugins, project
from ser_experiments.corpora._labels import LabelScheme
from ser_experiments.errors import InputError, nearest
from ser_experiments.task import Classes, Task

PACKAGE = "ser_experiments.corpora"
log = logging.getLogger(__name__)

#: Columns that every table of utterances has, in this order.
COLUMNS = ["path", "start_s", "end_s", "speaker", "session", "gender", "label"]


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
        Every utterance, indexed by ``utterance_id``, with the raw code in ``emotion`` and no ``label`` yet.
    notes : tuple of str
        What a user should know: missing parts, values out of range. One line each.
    """

    name: str
    root: Path
    utterances: pd.DataFrame
    notes: tuple[str, ...] = ()


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
        ``read(root, **options) -> Reading``.
    schemes : mapping of str to LabelScheme
        The label schemes; the first is the default. A scheme without classes takes the words as they are.
    subsets : sequence of str
        Values of ``--subset``; the first is the default. All but ``all`` are values of the column ``scenario``.
    needs_root : bool
        Whether a root must be given.
    shares_room : bool
        Whether the speakers of one session were recorded together, so that each is heard in the other's files.
    synthetic : bool
        Whether nobody speaks: its models are registered only to try the registry.
    warning : str
        Said with every result on this corpus.
    expected : callable, optional
        ``expected() -> DataFrame`` of known counts, for ``ser corpora describe``.
    """

    name: str
    title: str
    licence: str
    citation: str
    read: Callable[..., Reading]
    schemes: Mapping[str, LabelScheme]
    subsets: Sequence[str] = ("all",)
    needs_root: bool = True
    shares_room: bool = False
    synthetic: bool = False
    warning: str = ""
    expected: Callable[[], pd.DataFrame] | None = None


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
        One row an utterance, indexed by ``utterance_id``: ``path``, ``start_s``, ``end_s`` (NaN for a whole file),
        ``speaker``, ``session``, ``gender``, ``label`` and what the corpus adds.
    notes : tuple of str
        What a user should know about this copy.
    """

    spec: CorpusSpec
    name: str
    root: Path
    labels: LabelScheme
    subset: str
    utterances: pd.DataFrame
    notes: tuple[str, ...] = field(default=())

    @property
    def task(self) -> Task:
        """Return what is predicted under the label rule."""
        return Classes.of(self.utterances["label"])

    @property
    def classes(self) -> list[str]:
        """Return the classes in alphabetical order."""
        return sorted(self.utterances["label"].unique())

    @property
    def row_digest(self) -> str:
        """Return 12 hexadecimal digits for which utterances there are, who speaks them and how they are labelled."""
        columns = self.utterances[["speaker", "session", "label"]].astype(str).fillna("")
        lines = sorted("\t".join((str(i), *row)) for i, row in zip(columns.index, columns.to_numpy(), strict=True))
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=6).hexdigest()


def corpus_names() -> list[str]:
    """List the corpora there are, without importing them."""
    return plugins.names(PACKAGE)


def get_corpus(name: str) -> CorpusSpec:
    """Return the facts of a corpus; an unknown name is an InputError with the nearest one."""
    spec: CorpusSpec = plugins.load(PACKAGE, name, "corpus").SPEC
    return spec


def read_corpus(name: str, /, root: str | Path | None = None, **options: object) -> tuple[CorpusSpec, Reading]:
    """Read every utterance of a corpus, whatever its label.

    Parameters
    ----------
    name : str
        The corpus.
    root : path, optional
        Where it lies; by default ``SER_<CORPUS>_ROOT`` or ``ser.toml``.
    **options
        What the corpus's reader takes besides.

    Raises
    ------
    InputError
        Unknown corpus, no root, or a root that is not the corpus.
    """
    spec = get_corpus(name)
    root = root or project.find().root(spec.name)
    if root is None and spec.needs_root:
        raise InputError(
            f"corpus {spec.name!r}: no root given; say --root PATH (ROOT=PATH with make), "
            f"set SER_{spec.name.upper()}_ROOT, or write it into ser.toml"
        )
    reading = spec.read(None if root is None else Path(root).expanduser(), **options)
    return spec, reading


def load_corpus(
    name: str,
    /,
    root: str | Path | None = None,
    labels: str | None = None,
    *,
    subset: str | None = None,
    **options: object,
) -> Corpus:
    """Load a corpus under a label scheme.

    Parameters
    ----------
    name : str
        ``"demo"``, ``"iemocap"`` or ``"manifest"``.
    root : path, optional
        Where it lies; by default ``SER_<CORPUS>_ROOT`` or ``ser.toml``. The demo needs none.
    labels : str, optional
        A label scheme of the corpus; by default its first.
    subset : str, optional
        ``"all"`` (default) or a scenario of the corpus, such as ``"improvised"``.
    **options
        What the corpus takes besides: ``name`` and ``allow_outside`` for a manifest, ``seed`` for the demo.

    Returns
    -------
    Corpus
        Its ``.utterances`` is the table of utterances.

    Raises
    ------
    InputError
        Unknown name, scheme or subset, a root that is not the corpus, one speaker or one class only.
    """
    spec = get_corpus(name)
    scheme = _scheme(spec, labels)
    subset = subset or spec.subsets[0]
    if subset not in spec.subsets:
        raise InputError(f"corpus {spec.name!r}: unknown subset {subset!r}{nearest(subset, spec.subsets)}")
    spec, reading = read_corpus(name, root, **options)
    table = reading.utterances
    if subset != "all":
        table = table[table["scenario"] == subset]
    table = _labelled(spec, table, scheme)
    where = f"corpus {reading.name!r} (labels {scheme.name}, subset {subset})"
    if table.empty:
        raise InputError(f"{where}: no utterance left under {reading.root}; choose other --labels or --subset")
    if table["label"].nunique() < 2:
        only = table["label"].iloc[0]
        raise InputError(f"{where}: one class only ({only!r}); at least two are needed, choose other --labels")
    if table["speaker"].nunique() < 2:
        only = table["speaker"].iloc[0]
        raise InputError(f"{where}: one speaker only ({only!r}); speaker-independent scores need at least two")
    return Corpus(spec, reading.name, reading.root, scheme, subset, table, reading.notes)


def _scheme(spec: CorpusSpec, labels: str | None) -> LabelScheme:
    name = labels or next(iter(spec.schemes))
    if name not in spec.schemes:
        raise InputError(f"corpus {spec.name!r}: unknown label scheme {name!r}{nearest(name, spec.schemes)}")
    return spec.schemes[name]


def _labelled(spec: CorpusSpec, table: pd.DataFrame, scheme: LabelScheme) -> pd.DataFrame:
    """Keep the utterances that the scheme names, with their class in ``label``."""
    label = table["code"].map(dict(scheme.classes)) if scheme.classes else table["emotion"]
    kept = table.assign(label=label)[label.notna().to_numpy()]
    if kept.index.has_duplicates:
        twice = kept.index[kept.index.duplicated()][0]
        raise InputError(f"corpus {spec.name!r}: utterance id {twice!r} occurs twice; ids must be unique")
    rest = [column for column in kept.columns if column not in COLUMNS]
    return kept[[*COLUMNS, *rest]]
