"""The rows of a setting: which utterances are tested by what was trained on which, before anything is measured."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ser_experiments.corpora import (
    Corpus,
    chosen,
    corpus_names,
    get_corpus,
    is_loaded,
    load_corpus,
    meant,
    of_corpus,
    place_of,
    pool,
    transfer,
)
from ser_experiments.corpora._options import check_option, options_of
from ser_experiments.errors import InputError
from ser_experiments.evaluation.agreement import rater_scores
from ser_experiments.evaluation.card import Card, make_card
from ser_experiments.evaluation.cutting import make_folds
from ser_experiments.evaluation.folds import LEAKY, Folds, get_protocol
from ser_experiments.evaluation.own_folds import read_folds
from ser_experiments.experiment.request import CorpusRequest, SettingRequest
from ser_experiments.experiment.setting import Setting, setting_of
from ser_experiments.features import Normalization, enrolment, parse_normalization
from ser_experiments.project import Project
from ser_experiments.shown import html, several

if TYPE_CHECKING:
    from ser_experiments.experiment.request import Said

#: The protocols where another corpus is tested, where folds are brought along, and where several corpora are pooled.
TRANSFER, OWN, BY_SPEAKER = "transfer", "own-folds", "leave-one-speaker-out"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Selection:
    """A corpus cut by a protocol.

    Parameters
    ----------
    corpus : Corpus
        The utterances that are trained on and tested.
    folds : Folds
        Of these utterances.
    normalization : Normalization
        What is taken out by speaker.
    enrolled : dict of str to list of str
        Utterances by speaker that were given for it: they are measured, and neither trained on nor tested.
    """

    corpus: Corpus
    folds: Folds
    normalization: Normalization = field(default_factory=lambda: Normalization("none"))
    enrolled: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Selection {self.setting.name}: {several(len(self.corpus.utterances), 'utterance')}, {self._cut}"

    def _repr_html_(self) -> str:
        return html(f"Selection {self.setting.name}", self.facts, notes=self.corpus.notes)

    @property
    def _cut(self) -> str:
        return f"{several(len(self.folds.folds), 'fold')} by {self.folds.unit}"

    @property
    def facts(self) -> dict[str, object]:
        """Return what it is in a few words, by what is said."""
        by_speaker = None if self.normalization.kind == "none" else self.normalization.words
        return {"corpus": repr(self.corpus), "folds": self._cut, "normalised by speaker": by_speaker}

    @cached_property
    def setting(self) -> Setting:
        """Return what a score on it may be compared with."""
        return setting_of(self.corpus, self.folds, str(self.normalization))

    @property
    def pooled(self) -> tuple[str, ...]:
        """Return the corpora that are tested together, where there are several."""
        return () if self.corpus.tested or len(self.corpus.parts) < 2 else self.corpus.parts

    @cached_property
    def raters(self) -> dict[str, float]:
        """Return what one rater scores against the others on what is tested; nothing where that is not known."""
        return rater_scores(self.corpus.labels, self.corpus.utterances[self.folds.tested])

    @property
    def card(self) -> Card:
        """Return the protocol card."""
        return make_card(self.corpus, self.folds, normalize=str(self.normalization), enrolled=self.enrolled)


def load(request: CorpusRequest, project: Project, *, among_others: bool = False) -> Corpus:
    """Load the corpus that a request names, under its label scheme; of several, all of them as one.

    Parameters
    ----------
    request : CorpusRequest
        Corpora, labels, subset and own words.
    project : Project
        Knows roots.
    among_others : bool
        Whether another corpus is read for the same setting: then words to map or drop may be its own.
    """
    several = request.corpora
    if len(several) < 2:
        return _load(request, several[0] if several else _by_looks(request, project), project, among_others)
    if request.root:
        raise InputError(f"--root {request.root} is of one corpus; of several, say --corpus NAME=ROOT for each")
    names = meant(several, None)
    for keyword in request.corpus_options:
        if not any(keyword in _keywords(name) for name in names):
            check_option(get_corpus(names[0]), keyword)
    return pool([_load(request, said, project, among_others=True) for said in several])


def _by_looks(request: CorpusRequest, project: Project) -> str:
    """Return the corpus that lies under the root where none is named, and the demo without a root."""
    corpus = chosen(None, request.root)
    known = [name for name in corpus_names() if name != corpus and project.root(name)]
    if request.root:
        _log.info("%s is taken for the corpus %s; --corpus says it otherwise", request.root, corpus)
    elif known:
        _log.warning("no corpus is named: it is the %s; others have a root: --corpus %s", corpus, " or ".join(known))
    return corpus


def _load(request: CorpusRequest, said: Said, project: Project, among_others: bool) -> Corpus:
    if is_loaded(said):
        return _loaded(request, said)
    source: Any = said
    options = request.corpus_options
    if isinstance(said, str | os.PathLike):
        place = place_of(said)
        if place.root and request.root:
            raise InputError(f"--root {request.root} and --corpus {place.corpus}={place.root}: say one of them")
        source = said if place.root else place.corpus
    if len(request.corpora) > 1:
        keywords = _keywords(*meant([said], None))
        options = {name: value for name, value in options.items() if name in keywords}
    return load_corpus(
        source,
        request.root,
        request.labels,
        subset=request.subset,
        map=request.map,
        drop=request.drop,
        as_spelled=request.as_spelled,
        project=project,
        among_others=among_others,
        **options,
    )


def _loaded(request: CorpusRequest, corpus: Any) -> Corpus:
    """Return a corpus that was loaded before; what chooses among its rows or words was said there."""
    plain = CorpusRequest()
    names = ("root", "labels", "subset", "map", "drop", "as_spelled", "corpus_options")
    for name in names if len(request.corpora) == 1 else ():
        if getattr(request, name) != getattr(plain, name):
            raise InputError(f"{name}: the corpus {corpus.name!r} is loaded already; say it to load_corpus")
    return corpus


def _keywords(corpus: str) -> set[str]:
    return {one.keyword for one in options_of(corpus)}


def load_setting(request: SettingRequest, project: Project) -> Corpus:
    """Load the corpus of a setting: the one that is named, or that and the one that is tested.

    Where folds are those of somebody else, they may be about a part of it; the rest is left out, and said.
    """
    _protocol(request)  # what contradicts itself is said before corpora of hours are read
    tested = _is_transfer(request)
    trained = load(request, project, among_others=tested)
    if not tested:
        return _of_protocol(trained, _protocol(request))
    named = () if request.test_corpus is None else request.test_corpus
    other = replace(request, corpus=named, root=request.test_root, corpus_options={})
    return transfer(trained, load(other, project, among_others=True))


def _is_transfer(request: SettingRequest) -> bool:
    # A table has no truth of its own.
    return request.test_corpus is not None or bool(request.test_root)


def _of_protocol(corpus: Corpus, name: str | None) -> Corpus:
    protocol = None if name is None else get_protocol(name)
    if protocol is None or protocol.assigns is None:
        return corpus
    told = protocol.assigns(corpus.utterances, protocol)
    others = told.index[told.isna()]
    if others.empty:
        return corpus
    without_any = [one for one in corpus.parts if told[of_corpus(corpus.utterances, one)].isna().all()]
    if without_any:
        raise InputError(f"protocol {protocol.name!r}: it is not of {without_any[0]!r}; use another --protocol")
    note = (
        f"protocol {protocol.name}: {len(others)} of {len(told)} utterances are in none of its folds and are left out, "
        f"e.g. {others[0]!r}"
    )
    return replace(without(corpus, others), notes=(*corpus.notes, note))


def _protocol(request: SettingRequest) -> str | None:
    """Return the protocol: that which is named, or the only one for what is said besides."""
    implied = {
        "--test-corpus": TRANSFER if _is_transfer(request) else None,
        "--folds-file": OWN if request.folds_file else None,
    }
    said = {option: name for option, name in implied.items() if name is not None}
    if len(said) > 1:
        raise InputError(f"{' and '.join(said)} are two protocols; leave one of them away")
    for option, name in said.items():
        if request.protocol not in (None, name):
            raise InputError(f"--protocol {request.protocol}: with {option} it is {name}; leave one of them away")
    # Of corpora that are pooled, some may have sessions and others none.
    several = BY_SPEAKER if len(request.corpora) > 1 else None
    protocol = next(iter(said.values()), request.protocol or several)
    if not request.allow_leak:
        return protocol
    if protocol is None or not get_protocol(protocol).may_leak:
        raise InputError(
            "--allow-leak is of folds that somebody else cut (--folds-file, official, published:NAME); --protocol "
            "random shows a leak without them"
        )
    return protocol + LEAKY


def select(request: SettingRequest, corpus: Corpus) -> Selection:
    """Take out what is enrolled and cut the rest into the folds of the protocol.

    Parameters
    ----------
    request : SettingRequest
        Protocol and normalisation.
    corpus : Corpus
        Every utterance that could be used.

    Raises
    ------
    InputError
        The protocol cannot be held, or a speaker has too few clips to enrol.
    """
    mode = parse_normalization(request.normalize)
    enrolled = enrolment(corpus.utterances, mode)
    kept = without(corpus, (one for ids in enrolled.values() for one in ids))
    told = None if request.folds_file is None else read_folds(request.folds_file)
    folds = make_folds(
        kept.utterances,
        _protocol(request),
        n_splits=request.n_splits,
        shares_room=corpus.spec.shares_room,
        assigned=told,
        task=corpus.task,
    )
    return Selection(kept, folds, mode, enrolled)


def without(corpus: Corpus, ids: Iterable[str]) -> Corpus:
    """Return a corpus without some utterances."""
    gone = list(ids)
    return replace(corpus, utterances=corpus.utterances.drop(index=gone)) if gone else corpus
