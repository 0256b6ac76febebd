"""Write ``docs/licences.md``: the licence of every package that ``make setup`` installs, as each says it of itself."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

HERE = Path(__file__).parent
PAGE, PINS = HERE / "licences.md", HERE.parent / "constraints.txt"
#: Licences that ask something of whoever passes a program on with the package in it.
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|MPL|EPL|GNU|Mozilla)", re.IGNORECASE)
#: Whoever says a licence by its whole text is told by how that begins.
BEGINNINGS = {
    "MIT": r"permission is hereby granted, free of charge|\bMIT\b",
    "BSD": r"redistribution and use in source and binary forms|\bBSD\b",
    "Apache-2.0": r"apache license",
    "ISC": r"permission to use, copy, modify, and/?o?r? distribute|\bISC\b",
    "PSF-2.0": r"python software foundation",
    "MPL-2.0": r"mozilla public license",
}
#: What stands in the wheels of some beside their own code, as its makers license it.
CARRIED = {
    "av": "FFmpeg with x264 and x265: GPL-2.0-or-later",
    "espeakng-loader": "eSpeak NG: GPL-3.0-or-later",
    "soundfile": "libsndfile: LGPL-2.1-or-later",
}
INTRODUCTION = """# Licences of what is installed

Made by `make licences` from what each package that `constraints.txt` pins says of itself; a test holds the two
together. This project is BSD-3-Clause and passes none of them on: they are installed from where they are published.
Those that are marked ask something of whoever passes a program on with them in it. Two carry libraries under the GPL,
and are optional extras (`demo` and `av`): see [decision 2](decisions/0002-espeak-extra.md). Packages of the extras
`mutate` and `docs` are installed by `make mutate` and `make docs` alone, NVIDIA's libraries with a PyTorch for GPUs
alone.

| package | version | licence | carries | |
|---|---|---|---|---|
"""


def pins() -> dict[str, str]:
    """Return the pinned versions by name."""
    lines = (line.split("#")[0].split(" ")[0].strip() for line in PINS.read_text(encoding="utf-8").splitlines())
    return dict(line.split("==") for line in lines if "==" in line)


def licence_of(found: Distribution) -> str:
    """Return the licence of a package: its expression, else its classifiers, else how its text begins."""
    told = found.metadata
    if "License-Expression" in told:
        return told["License-Expression"]
    classified = [one.split(" :: ")[-1] for one in told.get_all("Classifier") or () if one.startswith("License :: ")]
    named = [one for one in classified if one not in ("OSI Approved", "Other/Proprietary License")]
    if named:
        return ", ".join(named)
    return _by_text(told, found) or "not said"


def _by_text(told: PackageMetadata, found: Distribution) -> str:
    said = (told.get_all("License") or [""])[0]
    if 0 < len(said) < 60:
        return said
    files = [one for one in found.files or () if re.match(r"(LICEN[CS]E|COPYING)", one.name, re.IGNORECASE)]
    text = said or next((one.read_text() for one in files), "") or ""
    beginning = " ".join(text.split())[:3000]
    return next((name for name, words in BEGINNINGS.items() if re.search(words, beginning, re.IGNORECASE)), "")


def rows() -> list[str]:
    """Return a row a package, by name."""
    made = []
    for name, version in sorted(pins().items(), key=lambda pin: pin[0].lower()):
        try:
            licence = licence_of(distribution(name))
        except PackageNotFoundError:
            licence = "not installed by `make setup`"
        carried = CARRIED.get(name, "")
        mark = "copyleft" if COPYLEFT.search(f"{licence} {carried}") else ""
        made.append(f"| {name} | {version} | {licence.replace('|', '/')} | {carried} | {mark} |")
    return made


def main() -> None:
    """Write the page."""
    PAGE.write_text(INTRODUCTION + "\n".join(rows()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
