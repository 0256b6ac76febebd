"""Recordings that cannot be used, said at once and so that it can be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ser_experiments.errors import InputError

#: More recordings than these with one reason share a line, which names the first of them.
_MOST_ALIKE, _SHOWN = 50, 3


class BadRecordings(InputError):
    """Recordings cannot be used; all of them are named, but those that a common reason has too many of to be read.

    Parameters
    ----------
    reasons : mapping of str to str
        Why, by ``"utterance (path)"``.
    total : int
        Utterances that were asked for.
    """

    def __init__(self, reasons: Mapping[str, str], total: int) -> None:
        lines = "".join(f"\n  {line}" for line in _by_reason(reasons))
        super().__init__(
            f"{len(reasons)} of {total} recordings cannot be used; mend them, or say --skip-bad to go on without{lines}"
        )
        self.reasons = dict(reasons)
        self.total = total

    def __reduce__(self) -> tuple[type[BadRecordings], tuple[dict[str, str], int]]:
        return type(self), (self.reasons, self.total)


def _by_reason(reasons: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each recording, and one for all that share a reason with very many others."""
    common = {reason for reason, n in Counter(reasons.values()).items() if n > _MOST_ALIKE}
    for reason in sorted(common):
        of = [source for source, one in reasons.items() if one == reason]
        yield f"{len(of)} recordings, {', '.join(of[:_SHOWN])} and so on: {reason}"
    yield from (f"{source}: {reason}" for source, reason in reasons.items() if reason not in common)
