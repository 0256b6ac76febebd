"""Each speaker in turn."""

from __future__ import annotations

import pandas as pd

from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol, joined


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test each speaker once; where the room is shared, who speaks with the tested one is not trained on either."""
    speaker = utterances["speaker"].astype(str)
    if options.shares_room:
        group = joined(utterances, "session")
        words = "each speaker in turn is tested by a model that saw neither the speaker nor the partner of the session"
    else:
        group, words = speaker, "each speaker in turn is tested by a model that did not see the speaker"
    return PROTOCOL.folds(utterances.assign(group=group), speaker, words)


PROTOCOL = Protocol("leave-one-speaker-out", unit="speaker", cut=cut)
