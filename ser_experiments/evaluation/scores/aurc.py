"""Area under the risk-coverage curve: how much is wrong, from the surest answer alone to all of them."""

from __future__ import annotations

from ser_experiments.evaluation.score import Score
from ser_experiments.evaluation.selective import area

SCORE = Score("AURC", better=-1, weighing=area, needs_values=True)
