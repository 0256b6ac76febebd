"""What is known of a corpus besides its files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What ``ser corpora list`` says of a corpus; whatever is not known for sure is left empty.

    Parameters
    ----------
    language : str
        What is spoken.
    elicitation : str
        How the emotions came about: ``"acted"``, ``"elicited"`` or ``"natural"``, and how.
    n_utterances, n_speakers : int
        Of a complete copy, after what is known to be bad was left out; 0 where it is not known.
    hours : float
        Of a complete copy; 0 where it is not known.
    homepage : str
        Where it can be had.
    """

    language: str = ""
    elicitation: str = ""
    n_utterances: int = 0
    n_speakers: int = 0
    hours: float = 0.0
    homepage: str = ""

    @property
    def line(self) -> str:
        """Say how large it is and what it holds, in one line."""
        parts = [
            f"{self.n_utterances:,} utterances" if self.n_utterances else "",
            f"{self.n_speakers} speakers" if self.n_speakers else "",
            f"{self.hours:.2f} h" if self.hours else "",
            self.language,
            self.elicitation,
        ]
        return ", ".join(part for part in parts if part)
