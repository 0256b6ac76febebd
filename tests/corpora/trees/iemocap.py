"""Two sessions with every code that a label scheme names."""

from __future__ import annotations

from pathlib import Path

from tests.iemocap_tree import add_dialog, small_tree


def build(folder: Path) -> Path:
    root = small_tree(folder)
    for session, dialog in ((1, "Ses01F_impro02"), (3, "Ses03F_impro02")):
        add_dialog(
            root, session, dialog, {f"{dialog}_{x}{i:03d}": c for x in "FM" for i, c in enumerate(["sur", "dis"])}
        )
    return root
