"""Recordings in folders: ``<speaker>/<emotion>_<number>.wav``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ser_experiments.corpora import CorpusSpec, LabelScheme, Option, Reading
from ser_experiments.errors import InputError


def read(root: Path, *, at_most: int | None = None) -> Reading:
    """Read a folder; of each speaker `at_most` recordings."""
    rows = []
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        for path in sorted(folder.glob("*.wav"))[:at_most]:
            rows.append(
                {
                    "utterance_id": f"{folder.name}/{path.stem}",
                    "path": str(path),
                    "start_s": float("nan"),
                    "end_s": float("nan"),
                    "speaker": folder.name,
                    "session": None,
                    "gender": None,
                    "emotion": path.stem.partition("_")[0],
                }
            )
    if not rows:
        raise InputError(f"corpus 'voices': no recordings under {root}; expected <speaker>/<emotion>_<number>.wav")
    return Reading("voices", root, pd.DataFrame(rows).set_index("utterance_id"))


SPEC = CorpusSpec(
    name="voices",
    title="Recordings in folders, one a speaker",
    licence="free",
    citation="none",
    read=read,
    schemes={"as-is": LabelScheme("as-is", {}, "the words of the files")},
    options=(Option("at-most", int, "Recordings of each speaker."),),
)
