"""Families of models, their pipelines, searches and fits behind scikit-learn's contract."""
