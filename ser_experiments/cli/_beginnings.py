"""What ``ser init`` writes: each file says itself what it is for."""

from __future__ import annotations

from pathlib import Path

#: The experiment that a project begins with.
FIRST = "my_first"

_MARKER = """\
# This file marks the folder as a project: from any folder below it, `ser` finds here
#   experiments/  definitions of your own, which stand before the shipped ones of the same name
#   plugins/      corpora, feature sets, models and scores of your own, one Python file each, if you have any
#   cache/        tables of features and the like, which can be made anew
#   mlruns/       the runs and what they left

# Where corpora lie, so that --root need not be said; a relative path begins at this folder. SER_<CORPUS>_ROOT in the
# environment is stronger.
[roots]
# iemocap = "/data/IEMOCAP_full_release"
# manifest = "recordings/metadata.csv"
"""

_DEFINITION = f"""\
# An experiment: what is measured, what becomes of it, and which model learns from it. Corpus, labels and protocol are
# not in it: one definition runs on any corpus. Its name is the name of this file: ser run {FIRST}

# What `ser list` says of it.
description = "A linear SVM on prosody, to begin with"

[features]
# `ser features list` shows the sets, `ser features describe prosody` each column of one. Several stand side by side:
# sets = ["prosody", "lld"]
sets = ["prosody"]

[pipeline]
# standard, robust, quantile or none; what is scaled by is learned from the training side of each fold alone.
scale = "standard"
# An SVM gives no probabilities by itself: these are calibrated on inner folds that keep speakers apart.
calibrate = "temperature"

[model]
# The family, e.g. svm, logreg, random_forest, xgboost, lightgbm, mlp; every other key is a parameter of it. For one run
# it can be changed without this file: ser run {FIRST} --set model.C=1.0
type = "svm"
kernel = "linear"
C = 0.1
# Rare classes count as much as frequent ones.
class_weight = "balanced"
"""

_IGNORED = """\
# What can be made anew, and the runs, which are large.
/cache/
/mlruns/
__pycache__/
"""


def files(folder: Path) -> dict[Path, str]:
    """Return the texts of the files that a project begins with, the marker last: what it marks is there by then.

    Where there are definitions already, none is added.
    """
    definition = folder / "experiments" / f"{FIRST}.toml"
    known = (path for path in definition.parent.glob("*.toml") if path != definition)
    texts = {} if any(known) else {definition: _DEFINITION}
    return {**texts, folder / ".gitignore": _IGNORED, folder / "ser.toml": _MARKER}
