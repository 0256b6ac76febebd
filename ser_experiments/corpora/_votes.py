"""What several listeners said of one utterance."""

from __future__ import annotations

from collections.abc import Mapping

#: The code of an utterance that most listeners did not agree on.
NO_AGREEMENT = "xxx"


def counted(votes: Mapping[str, int]) -> dict[str, object]:
    """Return what listeners said in the columns that IEMOCAP has, too.

    Parameters
    ----------
    votes : mapping of str to int
        How many said which word.

    Returns
    -------
    dict
        ``votes`` (``"anger=3;fear=1"``), ``n_raters`` and ``agreement``, the share of the most frequent word.
    """
    said = sorted(((word, n) for word, n in votes.items() if n), key=lambda one: (-one[1], one[0]))
    total = sum(n for _, n in said)
    return {
        "votes": ";".join(f"{word}={n}" for word, n in said),
        "n_raters": total,
        "agreement": said[0][1] / total if said else float("nan"),
    }


def most(votes: Mapping[str, int]) -> str | None:
    """Return the word that more listeners said than any other, ``"xxx"`` of a tie; None where nobody was asked."""
    top = max(votes.values(), default=0)
    words = [word for word, n in votes.items() if n == top]
    if not top:
        return None
    return words[0] if len(words) == 1 else NO_AGREEMENT
