"""The demo corpus: synthetic speech in IEMOCAP's layout, built on first use and read by the same loader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ser_experiments import doing
from ser_experiments.corpora import iemocap
from ser_experiments.corpora._corpus import CorpusSpec, Reading
from ser_experiments.corpora._schemes import SCHEMES
from ser_experiments.doing import Step
from ser_experiments.errors import InputError


def read(root: Path, *, seed: int = 0, raters: str = "external") -> Reading:
    """Read a corpus that was built.

    Parameters
    ----------
    root : Path
        The corpus, or the folder that it was built in.
    seed : int
        With which it was built.
    raters : {"external", "self", "all"}
        Whose words count as votes, see :func:`ser_experiments.corpora.iemocap.read`.

    Raises
    ------
    InputError
        The root holds no whole demo corpus of this seed, or there are no such raters.
    """
    from ser_experiments.corpora._demo import built

    found = built(root, seed=seed)
    if found is None:
        raise InputError(
            f"corpus 'demo': no whole demo corpus of seed {seed} under {root}, and nothing is written into a root; "
            "without --root it is built in the project's cache. Are these recordings of your own, or is it another "
            "corpus? Name it with --corpus"
        )
    return replace(iemocap.read_release(found, raters=raters), name="demo" if seed == 0 else f"demo-seed{seed}")


def make(folder: Path, *, seed: int = 0, raters: str = "external") -> Path:
    """Build the corpus in a folder, where it is not there yet; the same seed gives the same bytes, whoever votes."""
    from ser_experiments.corpora._demo import build

    # Counted in threads of the builder, which inherit nothing.
    heard = doing.listener()

    def tell(done: int, total: int) -> None:
        if heard is not None:
            heard.stage(Step("building the demo corpus (once)", done, total, left_s=pace.left_s(done, total)))

    pace = doing.Pace()
    return build(folder, seed=seed, progress=tell)


def recognises(root: Path) -> bool:
    """Tell whether a demo corpus, of whatever seed, was built here."""
    from ser_experiments.corpora._demo import MARKER

    return (root / MARKER).is_file() or any(root.glob(f"demo-v*-seed*/{MARKER}"))


SPEC = CorpusSpec(
    name="demo",
    title="Synthetic speech (eSpeak NG) with emotional prosody in IEMOCAP's layout; built on first use",
    licence="made by this program, free of rights",
    citation="none: demo scores say nothing about people",
    read=read,
    schemes=SCHEMES,
    subsets=("all", "improvised", "scripted"),
    recognises=recognises,
    make=make,
    shares_room=True,
    options=(iemocap.RATERS_OPTION,),
    synthetic=True,
    warning="demo: synthetic voices; these scores say nothing about people",
)
