"""Corpora: one file each, found by this folder."""

from ser_experiments.corpora._corpus import (
    Corpus,
    CorpusSpec,
    Reading,
    corpus_names,
    get_corpus,
    load_corpus,
    read_corpus,
)
from ser_experiments.corpora._labels import ALIASES, SCHEMES, LabelScheme, LeftOut
from ser_experiments.corpora._options import PACKAGE, Option

__all__ = [
    "ALIASES",
    "PACKAGE",
    "SCHEMES",
    "Corpus",
    "CorpusSpec",
    "LabelScheme",
    "LeftOut",
    "Option",
    "Reading",
    "corpus_names",
    "get_corpus",
    "load_corpus",
    "read_corpus",
]
