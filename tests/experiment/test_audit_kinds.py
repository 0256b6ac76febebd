"""An audit of numbers and of votes: what is worse is worse whichever way the score goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ser_experiments.evaluation.fairness import FAILED, PASSED, UNKNOWN
from ser_experiments.experiment.audit import audit
from ser_experiments.experiment.request import RunRequest
from ser_experiments.project import find
from tests.iemocap_tree import rated_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rated_tree(tmp_path_factory.mktemp("rated") / "IEMOCAP_full_release")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("labels", "primary", "better"),
    [("dimensions", "ccc", 1), ("arousal", "ccc", 1), ("votes-4class", "cross_entropy", -1)],
)
def test_numbers_and_votes_are_audited(
    labels: str, primary: str, better: int, tree: Path, project_folder: Path
) -> None:
    request = RunRequest(experiment="logreg_lld", corpus="iemocap", root=tree, labels=labels, jobs=1)
    found = audit(request, find(), wanted=["20 dB quieter", "white noise 0 dB"])
    assert found.scored.task.primary == primary
    quieter, noisy = found.robustness
    # Gain is no part of the descriptors; the noise is as loud as the voice.
    assert (quieter.verdict, noisy.verdict) == (PASSED, FAILED)
    assert found.failed == ["white noise 0 dB"]
    for one in (quieter, noisy):
        assert one.fall.better == better
        assert one.fall.value == pytest.approx(found.score - one.score)
        assert one.n_failed == 0
    # Of a loss that grows the difference is negative.
    assert better * noisy.fall.low > 0.1
    assert better * noisy.fall.high > 0.1
    assert abs(quieter.fall.value) < 0.02
    if labels == "votes-4class":
        assert quieter.unchanged > 0.9 > noisy.unchanged
    else:
        assert np.isnan([quieter.unchanged, noisy.unchanged]).all()
    gender, pitch = found.fairness
    assert (gender.by, gender.n_speakers) == ("gender", {"f": 3, "m": 3})
    assert (pitch.by, pitch.n_speakers) == ("pitch", {"high": 2, "low": 2, "middle": 2})
    for groups in (gender, pitch):
        assert groups.difference == pytest.approx(np.ptp(list(groups.scores.values())))
        # Six speakers can be dealt to two groups of three in ten ways, to three pairs in fifteen.
        assert groups.verdict == UNKNOWN
    # The worst speaker first, whichever way is better.
    values = better * found.speakers[primary].to_numpy()
    assert (np.diff(values) >= 0).all()
