"""Corpora: one file each, found by this folder."""

from ser_experiments.corpora._aliases import ALIASES
from ser_experiments.corpora._corpus import Corpus, CorpusSpec, Reading
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._labels import LabelScheme
from ser_experiments.corpora._left_out import LeftOut
from ser_experiments.corpora._load import corpus_names, get_corpus, load_corpus, read_corpus
from ser_experiments.corpora._names import stem_of, without_ending
from ser_experiments.corpora._options import PACKAGE, Option
from ser_experiments.corpora._places import Place, is_loaded, is_table, meant, place_of
from ser_experiments.corpora._recognised import chosen
from ser_experiments.corpora._rules._rule import Rule
from ser_experiments.corpora._rules.votes import vote_rules
from ser_experiments.corpora._schemes import SCHEMES
from ser_experiments.corpora._together import of_corpus, pool, transfer

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
    "Place",
    "Reading",
    "Rule",
    "chosen",
    "corpus_names",
    "get_corpus",
    "is_loaded",
    "is_table",
    "load_corpus",
    "meant",
    "of_corpus",
    "place_of",
    "pool",
    "read_corpus",
    "stem_of",
    "transfer",
    "vote_rules",
    "without_ending",
]
