"""Unweighted average recall where the surest 70 % are answered and the others withheld."""

from __future__ import annotations

from ser_experiments.evaluation.score import Score
from ser_experiments.evaluation.selective import uar_at

SCORE = Score("UAR at 70 % coverage", better=1, weighing=uar_at(0.7), needs_values=True)
