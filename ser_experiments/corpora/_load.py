"""How a corpus is found, read and loaded by its name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ser_experiments import frames, plugins
from ser_experiments import project as projects
from ser_experiments.corpora._corpus import Corpus, CorpusSpec, Reading
from ser_experiments.corpora._left_out import of_no_subset
from ser_experiments.corpora._options import PACKAGE, check_option
from ser_experiments.corpora._places import LISTED, Place, is_loaded, is_table, place_of
from ser_experiments.corpora._recognised import chosen
from ser_experiments.corpora._rules import rule_of
from ser_experiments.corpora._spelling import check_spelling
from ser_experiments.errors import InputError, nearest
from ser_experiments.files import path_of
from ser_experiments.project import Project
from ser_experiments.words import check_word

if TYPE_CHECKING:
    import pandas as pd


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
    source: str | os.PathLike[str] | pd.DataFrame | None = None,
    /,
    root: str | os.PathLike[str] | None = None,
    labels: str | None = None,
    *,
    subset: str | None = None,
    map: Mapping[str, str] | Sequence[str] = (),
    drop: Sequence[str] = (),
    project: Project | None = None,
    as_spelled: bool = False,
    among_others: bool = False,
    **options: object,
) -> Corpus:
    """Load a corpus under a label scheme.

    Parameters
    ----------
    source : str, path or DataFrame, optional
        A name that ``ser corpora list`` shows; or where it lies, be it the CSV file of your own recordings: what lies
        there says which corpus it is; or a table of your own recordings with the columns of such a file (``path``,
        ``label``, ``speaker`` and so on). By default what lies under `root`, without one the demo.
    root : path, optional
        Of a name, where it lies; by default ``SER_<CORPUS>_ROOT`` or ``ser.toml``. The demo needs none. Of a table, the
        folder that its paths are relative to; by default the current one.
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
    among_others : bool
        Whether other corpora are read beside it: then words to map or drop may be theirs alone.
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

    Examples
    --------
    >>> from ser_experiments import load_corpus
    >>> corpus = load_corpus("recordings/metadata.csv")
    >>> corpus
    Corpus recordings (as-is): 12 utterances, 3 speakers; angry 6, sad 6
    >>> corpus.utterances[["speaker", "label"]].head(2)
                   speaker  label
    utterance_id
    ann/0.wav          ann  angry
    ann/1.wav          ann    sad

    A table of recordings, wherever it comes from:

    >>> import pandas as pd
    >>> table = pd.read_csv("recordings/metadata.csv", dtype=str)
    >>> load_corpus(table[table["speaker"] != "ann"], root="recordings")
    Corpus recordings (as-is): 8 utterances, 2 speakers; angry 4, sad 4
    """
    if is_loaded(source):
        raise InputError("the corpus is loaded already; hand on its .utterances to choose other labels")
    place = _place(source, root)
    spec = get_corpus(place.corpus)
    scheme = rule_of(spec, labels)
    subset = subset or spec.subsets[0]
    if subset not in spec.subsets:
        raise InputError(f"corpus {spec.name!r}: unknown subset {subset!r}{nearest(subset, spec.subsets)}")
    if is_table(source):
        reading = _read_table(spec, source, root, options)
    else:
        _, reading = read_corpus(spec.name, place.root, project=project or projects.find(), **options)
    table = reading.utterances
    if not as_spelled:
        check_spelling(table, f"corpus {reading.name!r}", reading.places)
    notes = reading.notes
    if subset != "all":
        notes = (*notes, *of_no_subset(table["scenario"], subset, spec.subsets))
        table = table[table["scenario"] == subset]
    scheme = scheme.changed(map, drop, table, among_others=among_others)
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
    return Corpus(
        spec,
        reading.name,
        reading.root,
        scheme,
        subset,
        table[[*first, *rest]],
        notes,
        left_out,
        readers={reading.name: spec.name},
    )


def _place(source: object, root: str | os.PathLike[str] | None) -> Place:
    """Return which corpus is meant, and where it lies; a table lies nowhere."""
    if is_table(source):
        return Place(LISTED, None)
    if source is None or source == "":
        return Place(chosen(None, root), None if root is None else os.fspath(root))
    if not isinstance(source, str | os.PathLike):
        raise InputError(f"a corpus is a name, a path or a table of utterances; got {type(source).__name__}")
    place = place_of(source)
    if place.root and root:
        raise InputError(f"root {os.fspath(root)} and {place.root}: say once where the corpus lies")
    return place if place.root or root is None else Place(place.corpus, os.fspath(root))


def _read_table(spec: CorpusSpec, table: object, root: object, options: Mapping[str, object]) -> Reading:
    for option in options:
        check_option(spec, option)
    if spec.read_table is None:
        raise InputError(f"corpus {spec.name!r} takes no table")
    return _checked(spec, spec.read_table(table, root, **options))


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
