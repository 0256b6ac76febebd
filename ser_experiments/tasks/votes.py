"""What several raters said of an utterance: a prediction is a probability for each class, as raters' shares are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.task import Floats, Learns
from ser_experiments.tasks._probabilities import LABEL, PREDICTED, Probabilities, named_by, shares_in

#: Before the name of a class in the name of the column of the share of the votes that it has.
SHARE = "share_"
#: What stands in ``label`` where no class has more votes than any other, and what people read instead.
TIE, NO_MAJORITY = "", "no majority"


@dataclass(frozen=True)
class Votes(Probabilities):
    """The share of the raters' votes that each class has; a prediction is a probability for each class.

    Runs are ranked by the cross-entropy of the probabilities to the votes, which is least where they are the shares
    themselves.

    Parameters
    ----------
    targets : tuple of str
        The classes in alphabetical order.
    """

    kind: ClassVar[str] = "votes"
    primary: ClassVar[str] = "cross_entropy"
    finest: ClassVar[str] = "cross_entropy"
    learns: ClassVar[Learns] = "shares"

    @classmethod
    def of_columns(cls, columns: Iterable[object]) -> Votes | None:
        """Return the classes whose shares are there, where those and no others have a probability, or none has."""
        columns = list(columns)
        shares, probable = named_by(SHARE, columns), cls.named(columns)
        if not shares or (probable and {*probable} != {*shares}) or not (probable or PREDICTED in columns):
            return None
        return cls(probable or shares)

    @property
    def share_columns(self) -> list[str]:
        """Return ``share_<class>`` for each class."""
        return [SHARE + name for name in self.targets]

    @property
    def truth_columns(self) -> tuple[str, ...]:
        """Return ``share_<class>`` for each class, and ``label``."""
        return (*self.share_columns, LABEL)

    @property
    def chance(self) -> float:
        """Return the cross-entropy of whoever knows nothing and answers each class alike, in nats."""
        return float(np.log(len(self.targets)))

    def truth(self, utterances: pd.DataFrame) -> Floats:
        """Return the shares, shape (n_utterances, n_classes); each row sums to 1."""
        return utterances[self.share_columns].to_numpy(dtype=np.float64)

    def codes(self, frame: pd.DataFrame) -> Floats:
        """Return the shares, shape (n_rows, n_classes)."""
        return self.truth(frame)

    def places(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Return the place of the class that most raters said; -1 of a tie.

        Raises
        ------
        InputError
            A label is none of the targets, and no tie either.
        """
        found, labels = self.places_of(frame[LABEL]), frame[LABEL].astype(str)
        said = (labels != TIE).to_numpy()
        self._check_places(found[said], labels[said])
        return found

    def strata(self, utterances: pd.DataFrame) -> pd.Series:
        """Return the class that most raters said; ``"no majority"`` of a tie."""
        return utterances[LABEL].astype(str).replace(TIE, NO_MAJORITY)

    def described(self, utterances: pd.DataFrame) -> str:
        """Return each class with the utterances that most raters said it of, and ties after them."""
        counts = utterances[LABEL].astype(str).value_counts()
        ties = int(counts.pop(TIE)) if TIE in counts else 0
        said = [f"{label} {n}" for label, n in counts.sort_index().items()]
        return ", ".join([*said, *([f"{NO_MAJORITY} {ties}"] if ties else [])])

    def read_numbers(self, where: str, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with numbers in the columns of probabilities and of shares, where there are any."""
        table = self.read_truth(where, table)
        return super().read_numbers(where, table) if self.columns[0] in table else table

    def read_truth(self, where: str, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with numbers in the columns of the shares, where they are there."""
        if not all(column in table for column in self.share_columns):
            return table
        table = shares_in(where, table, self.share_columns, "shares")
        return table if LABEL in table else self._with_majority(table)

    def only(self, utterances: pd.DataFrame) -> pd.DataFrame:
        """Return utterances with the shares among the votes for the targets, and the majority of those."""
        others = [c for c in utterances if str(c).startswith(SHARE) and c not in self.share_columns]
        votes = self.truth(utterances)
        shares = dict(zip(self.share_columns, (votes / votes.sum(axis=1, keepdims=True)).T, strict=True))
        return self._with_majority(utterances.drop(columns=others).assign(**shares))

    def kept(self, utterances: pd.DataFrame) -> NDArray[np.bool_]:
        """Say which utterances have a vote for one of the classes."""
        return np.asarray((self.truth(utterances) > 0).any(axis=1), dtype=bool)

    def _with_majority(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(**{LABEL: majority(self.targets, self.truth(table))})


def majority(targets: Iterable[str], weights: Floats) -> NDArray[np.object_]:
    """Return the class that more raters said than any other, an empty text of a tie.

    Parameters
    ----------
    targets : iterable of str
        The classes.
    weights : ndarray of shape (n_rows, n_classes)
        Votes, or shares of them.
    """
    # Shares of one number of votes may differ in the last digit.
    top = np.isclose(weights, weights.max(axis=1, keepdims=True), rtol=1e-9, atol=0)
    names = np.asarray(list(targets), dtype=object)
    return np.where(top.sum(axis=1) == 1, names[weights.argmax(axis=1)], TIE).astype(object)


TASK = Votes
