"""The setting of a run: what must be equal for two scores to be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ser_experiments import identity
from ser_experiments.corpora import Corpus
from ser_experiments.evaluation.folds import Folds, get_protocol


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
        return get_protocol(self.protocol).leaky


def setting_of(corpus: Corpus, folds: Folds, normalize: str = "none") -> Setting:
    """Return the setting of a corpus under the folds of a protocol."""
    rows = identity.of_lines([f"{corpus.row_digest}/{folds.digest}"], size=identity.SHORT)
    return Setting(corpus.name, corpus.labels.name, corpus.subset, folds.protocol, normalize, len(folds.folds), rows)
