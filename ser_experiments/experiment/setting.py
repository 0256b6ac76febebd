"""The setting of a run: what must be equal for two scores to be compared."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ser_experiments.corpora import Corpus
from ser_experiments.evaluation.folds import LEAKY, Folds
from ser_experiments.features import Normalization, enrolment


@dataclass(frozen=True)
class Setting:
    """Corpus, labels, subset, protocol, normalisation and the rows themselves.

    Parameters
    ----------
    corpus, labels, subset, protocol, normalize : str
        As on the command line.
    n_folds : int
        Outer folds.
    rows : str
        Digest of utterances, labels and folds.
    """

    corpus: str
    labels: str
    subset: str
    protocol: str
    normalize: str
    n_folds: int
    rows: str

    @property
    def name(self) -> str:
        """Return the name of the MLflow experiment, e.g. ``"iemocap-4class-leave-one-session-out"``."""
        parts = [self.corpus, self.labels]
        if self.subset != "all":
            parts.append(self.subset)
        parts.append(self.protocol.replace("-k-", f"-{self.n_folds}-"))
        if self.normalize != "none":
            parts.append(f"normalize-{self.normalize}")
        return re.sub(r"[^\w.-]+", "_", "-".join(parts))

    @property
    def leaky(self) -> bool:
        """Whether speakers stand on both sides of its folds."""
        return self.protocol == LEAKY


def setting_of(corpus: Corpus, folds: Folds, normalize: str = "none") -> Setting:
    """Return the setting of a corpus under the folds of a protocol."""
    rows = hashlib.blake2b(f"{corpus.row_digest}/{folds.digest}".encode(), digest_size=6).hexdigest()
    return Setting(corpus.name, corpus.labels.name, corpus.subset, folds.protocol, normalize, len(folds.folds), rows)


def without(corpus: Corpus, ids: Iterable[str]) -> Corpus:
    """Return a corpus without some utterances."""
    return replace(corpus, utterances=corpus.utterances.drop(index=list(ids)))


def enrol(corpus: Corpus, mode: Normalization) -> tuple[Corpus, dict[str, list[str]]]:
    """Take out the clips that a normalisation asks of each speaker: they are neither trained on nor tested.

    Returns
    -------
    corpus : Corpus
        The other utterances.
    enrolled : dict of str to list of str
        The utterance ids taken out, by speaker.
    """
    enrolled = enrolment(corpus.utterances, mode)
    taken = [i for ids in enrolled.values() for i in ids]
    return (without(corpus, taken) if taken else corpus), enrolled
