"""What a model that was normalised by speaker takes of the one speaker it answers for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from ser_experiments.audio import Source, heard
from ser_experiments.errors import AudioError, InputError
from ser_experiments.features.normalization import SpeakerStatistics, speaker_statistics

if TYPE_CHECKING:
    from ser_experiments.serving.audio_model import AudioModel


def statistics_of(model: AudioModel, sources: Iterable[Source], *, skip_bad: bool) -> SpeakerStatistics:
    """Return what is taken out of the features of a speaker; see :meth:`AudioModel.for_speaker`.

    Parameters
    ----------
    model : AudioModel
        Measures.
    sources : iterable of path, bytes, or (ndarray of shape (n_samples,), sample rate in Hz)
        Recordings of the speaker.
    skip_bad : bool
        Whether recordings that cannot be used are left out.

    Raises
    ------
    InputError
        The model needs nothing of a speaker, or more clips than there are.
    AudioError
        A recording cannot be used.
    """
    mode = model.normalization
    if mode.kind == "none":
        raise InputError(
            f"{model.meta.get('experiment', 'the model')} was trained on features as recorded and takes no "
            "recordings of the speaker; predict without them"
        )
    rows = []
    for source in sources:
        try:
            rows.append(model.features(*heard(source)))
        except AudioError:
            if not skip_bad:
                raise
    least = max(mode.clips, 2 if mode.kind == "speaker" else 1)
    if len(rows) < least:
        raise InputError(f"the model was normalised by {mode}: it needs {least} clips of the speaker, got {len(rows)}")
    return speaker_statistics(pd.concat(rows, ignore_index=True), mode)
