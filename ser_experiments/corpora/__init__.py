"""Corpora: one file each, found by this folder."""

from ser_experiments.corpora._aliases import ALIASES
from ser_experiments.corpora._corpus import (
    Corpus,
    CorpusSpec,
    Reading,
    corpus_names,
    get_corpus,
    load_corpus,
    read_corpus,
)
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._labels import LabelScheme
from ser_experiments.corpora._left_out import LeftOut
from ser_experiments.corpora._options import PACKAGE, Option
from ser_experiments.corpora._recognised import chosen
from ser_experiments.corpora._schemes import SCHEMES
from ser_experiments.corpora._transfer import transfer

__all__ = [
    "ALIASES",
    "PACKAGE",
    "SCHEMES",
    "Corpus",
    "CorpusSpec",
    "Facts",
    "LabelScheme",
    "LeftOut",
    "Option",
    "Reading",
    "chosen",
    "corpus_names",
    "get_corpus",
    "load_corpus",
    "read_corpus",
    "transfer",
]
