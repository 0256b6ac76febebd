"""How much raters agree: Krippendorff's alpha, what one rater would score, and scores by how far raters agree.

All is made from counts of votes, shape (n_utterances, n_classes): who a rater is need not be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.corpora import CorpusSpec, Rule, vote_rules
from ser_experiments.evaluation.score import Floats, Score
from ser_experiments.evaluation.scores import multilabel_f1
from ser_experiments.evaluation.scores.jensen_shannon import divergence
from ser_experiments.evaluation.scores.macro_f1 import macro_f1
from ser_experiments.evaluation.scores.uar import uar
from ser_experiments.evaluation.scores.wa import accuracy
from ser_experiments.evaluation.scoring import get_score, scores_of
from ser_experiments.frames import Predictions

#: How far raters agree, and the rows of a table of scores: each holds the next.
FULL, MAJORITY, TIE = "full", "majority", "tie"
ALL = "all"
#: What is left of a difference of squares below this share of them is rounding.
_ROUNDING = 1e-12


def alpha(counts: Floats) -> float:
    """Return Krippendorff's alpha of nominal data: 1 where all agree, 0 where as often as by chance.

    ``1 - (n - 1) * sum_u sum_{c != k} n_uc n_uk / (n_u - 1) / sum_{c != k} n_c n_k``, where ``n_uc`` votes on
    utterance u are for class c, over utterances with at least two votes. Any number of raters may be missing anywhere.

    Parameters
    ----------
    counts : ndarray of shape (n_utterances, n_classes)
        Votes.

    Returns
    -------
    float
        NaN where no utterance has two votes, or all votes are for one class.

    References
    ----------
    Krippendorff (2011), Computing Krippendorff's alpha-reliability, University of Pennsylvania.
    Hayes, Krippendorff (2007), Answering the call for a standard reliability measure for coding data, Communication
    Methods and Measures 1(1):77-89.
    """
    pairs = coincidences(counts)
    total = pairs.sum()
    margins = pairs.sum(axis=1)
    expected = total**2 - (margins**2).sum()
    # To rounding: votes of one utterance are divided by one less than their number.
    if expected <= _ROUNDING * total**2:
        return float("nan")
    observed = total - np.trace(pairs)
    return float(1 - (total - 1) * observed / expected)


def coincidences(counts: Floats, *, evenly: bool = False) -> Floats:
    """Return how often two raters of one utterance said which classes, shape (n_classes, n_classes).

    Parameters
    ----------
    counts : ndarray of shape (n_utterances, n_classes)
        Votes; of utterances with at least two.
    evenly : bool, default=False
        Whether each utterance weighs one; otherwise it weighs as much as it has votes.
    """
    paired = counts[counts.sum(axis=1) >= 2]
    n_votes = paired.sum(axis=1)
    weights = 1 / (n_votes - 1) / (n_votes if evenly else 1)
    return np.asarray((paired * weights[:, None]).T @ paired - np.diag(weights @ paired), dtype=np.float64)


def one_rater(counts: Floats) -> dict[str, float]:
    """Return what one rater, drawn at random, scores against the others: a ceiling for what a model can be asked for.

    Of each utterance with at least two votes, each vote in turn is taken for the answer, and weighs one divided by the
    votes of the utterance, so that an utterance weighs one. The truth is made of the votes that are left.

    - ``uar``, ``wa``, ``macro_f1``: against the class that most of the others said, where there is one; the score is
      that of the expected confusion matrix.
    - ``multilabel_f1``: the class that was said against those with more than an even share of the others' votes.
    - ``jensen_shannon``: all on the class that was said against the shares of the others' votes.
    - ``cross_entropy``: a vote that is all on one class would cost without limit where another rater differs. So the
      answer is how the others vote, over all utterances, where one rater says this class: minus the mean of the
      logarithm of ``P(class of another | class of the one)``, from :func:`coincidences`. It is taken on the same votes,
      so that on few of them it flatters the raters.

    A model is held against all votes, a rater against one less, which is the less certain truth: where there are few
    raters, a good model may score above one of them.

    Parameters
    ----------
    counts : ndarray of shape (n_utterances, n_classes)
        Votes, in whole numbers.

    Returns
    -------
    dict of str to float
        By score; none where no utterance has two votes.
    """
    paired = counts[counts.sum(axis=1) >= 2]
    n_classes = counts.shape[1]
    if not len(paired):
        return {}
    n_votes = paired.sum(axis=1)
    matrix = np.zeros((1, n_classes, n_classes + 1))
    marks, apart = np.zeros((1, n_classes, 3)), 0.0
    for said in range(n_classes):
        rows = paired[:, said] > 0
        weights = paired[rows, said] / n_votes[rows]
        answer = np.tile(np.eye(n_classes)[said], (len(weights), 1))
        others = paired[rows] - answer
        shares = others / others.sum(axis=1, keepdims=True)
        best = others.max(axis=1, keepdims=True)
        agreed = (others == best).sum(axis=1) == 1
        np.add.at(matrix[0, :, said], others[agreed].argmax(axis=1), weights[agreed])
        marks[0] += np.tensordot(weights, multilabel_f1.marked(shares, answer), axes=1)
        apart += float(weights @ divergence(shares, answer))
    pairs = coincidences(counts, evenly=True)
    told = pairs / np.maximum(pairs.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    logs = np.log(told, out=np.zeros_like(told), where=told > 0)
    return {
        "cross_entropy": float(-(pairs * logs).sum() / pairs.sum()),
        "jensen_shannon": apart / len(paired),
        "macro_f1": float(macro_f1(matrix)[0]),
        "multilabel_f1": float(multilabel_f1.macro_f1(marks)[0]),
        "uar": float(uar(matrix)[0]),
        "wa": float(accuracy(matrix)[0]),
    }


def levels(counts: Floats) -> NDArray[np.str_]:
    """Say of each utterance how far its raters agree.

    Parameters
    ----------
    counts : ndarray of shape (n_utterances, n_classes)
        Votes, or shares of them.

    Returns
    -------
    ndarray of str
        ``"full"`` (all votes are for one class), ``"majority"`` (one class has more than any other) or ``"tie"``.
    """
    top = counts.max(axis=1, keepdims=True)
    n_best = np.isclose(counts, top, rtol=1e-9, atol=0).sum(axis=1)
    # Shares that were read from a file need not sum to 1 in the last digit.
    full = np.isclose(top[:, 0], counts.sum(axis=1), rtol=1e-9, atol=0)
    return np.where(n_best > 1, TIE, np.where(full, FULL, MAJORITY))


def described(utterances: pd.DataFrame, spec: CorpusSpec) -> pd.DataFrame:
    """Return how far the raters of a corpus agree by each of its label schemes.

    Parameters
    ----------
    utterances : DataFrame
        As the corpus's reader gives them, with ``votes`` and perhaps ``n_raters``.
    spec : CorpusSpec
        The corpus.

    Returns
    -------
    DataFrame
        Indexed by scheme: ``utterances`` with a vote for a class, ``votes`` for one, ``raters`` of an utterance in the
        mean, the share of utterances of each of :func:`levels`, and, of those that two raters judged at least,
        ``alpha`` and :func:`one_rater` as ``rater_<score>``. What needs whole numbers of votes is missing where a copy
        has shares alone. Empty where nobody voted.
    """
    found = {}
    for name, rule in vote_rules(spec, utterances).items():
        votes = rule.counts(utterances)
        judged = votes[(votes.sum(axis=1) > 0).to_numpy()]
        if judged.shape[1] < 2:
            continue
        parts = levels(judged.to_numpy())
        row: dict[str, Any] = {"utterances": len(judged)}
        if "n_raters" in utterances:
            row |= {"votes": int(judged.to_numpy().sum()), "raters": utterances.loc[judged.index, "n_raters"].mean()}
        row |= {level: float((parts == level).mean()) for level in (FULL, MAJORITY, TIE)}
        counts = _of_several(votes, utterances)
        if len(counts):
            row |= {"alpha": alpha(counts), **{f"rater_{score}": value for score, value in one_rater(counts).items()}}
        found[name] = row
    return pd.DataFrame.from_dict(found, orient="index")


def _of_several(votes: pd.DataFrame, utterances: pd.DataFrame) -> Floats:
    """Return the votes on utterances that two raters judged at least; none where they are no whole numbers.

    One rater may have named two words, and does not disagree with anybody.
    """
    counts = votes.to_numpy(dtype=np.float64)
    if not (np.rint(counts) == counts).all():
        return counts[:0]
    if "n_raters" in utterances:
        counts = counts[(pd.to_numeric(utterances["n_raters"]) >= 2).to_numpy()]
    return np.asarray(counts[counts.sum(axis=1) >= 2], dtype=np.float64)


def by_agreement(
    predictions: Predictions, counts: Floats | None = None, scores: Sequence[str | Score] | None = None
) -> pd.DataFrame:
    """Score predictions by how far raters agree.

    Parameters
    ----------
    predictions : Predictions
        Of votes, or of what there are votes on.
    counts : ndarray of shape (n_rows, n_classes), optional
        The votes, row by row; by default the shares that are predicted.
    scores : sequence of str or Score, optional
        By default all that the predictions have.

    Returns
    -------
    DataFrame
        Indexed by ``"all"`` utterances, those with a ``"majority"`` (which may be all votes), and those of ``"full"``
        agreement; ``n`` and a column a score. A level without utterances is left out, as is full agreement where votes
        were added to every class: then nobody can tell.
    """
    every = scores_of(predictions.task, values=predictions.has_values) if scores is None else map(get_score, scores)
    chosen = list(every)
    found = levels(predictions.truth if counts is None else counts)
    rows = {}
    for level, mine in ((ALL, found != ""), (MAJORITY, found != TIE), (FULL, found == FULL)):
        if mine.any():
            part = predictions.rows(mine)
            rows[level] = {"n": len(part), **{score.name: score.on(part).whole() for score in chosen}}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("agreement").astype({"n": int})


def rater_scores(labels: Rule, utterances: pd.DataFrame) -> dict[str, float]:
    """Return what one rater scores against the others on utterances, by score; see :func:`one_rater`.

    Parameters
    ----------
    labels : Rule
        What the classes are.
    utterances : DataFrame
        With the columns of the corpus.

    Returns
    -------
    dict of str to float
        Nothing where it is not known what single raters said, or no two judged an utterance.
    """
    votes = labels.counts(utterances)
    found = {} if votes is None else one_rater(_of_several(votes, utterances))
    return {name: value for name, value in found.items() if np.isfinite(value)}
