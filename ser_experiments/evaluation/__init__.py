"""Folds, scores with their intervals, comparisons and pictures."""
