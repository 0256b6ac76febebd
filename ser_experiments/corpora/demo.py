"""The demo corpus: synthetic speech in IEMOCAP's layout, built on first use and read by the same loader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ser_experiments.corpora import iemocap
from ser_experiments.corpora._corpus import CorpusSpec, Reading
from ser_experiments.corpora._schemes import SCHEMES


def read(root: Path, *, seed: int = 0) -> Reading:
    """Build the corpus where it is not there yet, and read it.

    Parameters
    ----------
    root : Path
        The folder to build in.
    seed : int
        The same seed gives the same bytes.
    """
    from ser_experiments.corpora._demo import build

    reading = iemocap.read(build(root, seed=seed))
    return replace(reading, name="demo" if seed == 0 else f"demo-seed{seed}")


SPEC = CorpusSpec(
    name="demo",
    title="Synthetic speech (eSpeak NG) with emotional prosody in IEMOCAP's layout; built on first use",
    licence="made by this program, free of rights",
    citation="none: demo scores say nothing about people",
    read=read,
    schemes=SCHEMES,
    subsets=("all", "improvised", "scripted"),
    needs_root=False,
    shares_room=True,
    synthetic=True,
    warning="demo: synthetic voices; these scores say nothing about people",
)
