"""How a run and its setting are shown in a tracking store's pages: names, words, and the numbers that lead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ser_experiments.evaluation.scoring import get_score, scores_of
from ser_experiments.experiment.words import counted
from ser_experiments.tracking.view import View

if TYPE_CHECKING:
    from ser_experiments.experiment.result import Prepared

#: A name of so many characters is read; what is cut off stands among the parameters.
_LONGEST = 200
#: What a change is made to in most cases, which need not be said; quotes of words need not either.
_OF_MODEL, _QUOTED = re.compile(r"(?:^|(?<= ))model\."), re.compile(r"='([\w.\-]+)'(?= |;|$)")


def run_name(prepared: Prepared) -> str:
    """Return a name that tells a run from others of its setting, e.g. ``"svm_lld C=1 seed=2"``.

    The experiment, what was changed in it, the ready-made table, and a seed that is not the usual one. What is looked
    up by the experiment's name goes by its tag.
    """
    changes = _QUOTED.sub(r"=\1", _OF_MODEL.sub("", prepared.changes))
    table = f"table={prepared.table_file}" if prepared.table_file is not None else ""
    seed = f"seed={prepared.seed}" if prepared.seed else ""
    name = " ".join(one for one in (prepared.experiment.name, changes, table, seed) if one)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."


def view(prepared: Prepared) -> View:
    """Return how the setting of a run is shown: whoever runs in it first describes it."""
    task = prepared.task
    primary, *rest = scores_of(task)
    # What needs numbers that not every corpus has comes last.
    rest.sort(key=lambda score: score.needs_values)
    by_fold = [f"fold_{score.name}" for score in (primary, *rest) if score.by_fold]
    return View(_words(prepared), primary.name, primary.better, [score.name for score in rest], by_fold)


def _words(prepared: Prepared) -> str:
    setting, primary = prepared.setting, get_score(prepared.task.primary).title
    lines = [
        f"Runs on **{setting.corpus}** that can be compared: the same recordings, labels, folds and normalisation.",
        "",
        *counted(prepared),
        f"- **{primary}** leads. It is pooled over all out-of-fold utterances; its 95 % interval is a "
        f"delete-one-{prepared.folds.unit} jackknife with Student's t",
        "- `fold_...` are scores of single folds, one a step",
        f"- Rows and folds: `{setting.rows}`",
        "",
        f"Whether a difference is real: `ser compare --setting {setting.name}`",
    ]
    if prepared.corpus.spec.warning:
        lines += ["", f"**{prepared.corpus.spec.warning}**"]
    return "\n".join(lines)
