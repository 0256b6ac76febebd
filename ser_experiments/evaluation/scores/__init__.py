"""Scores, one file each: it holds ``SCORE``, a :class:`ser_experiments.evaluation.score.Score`, and names it."""
