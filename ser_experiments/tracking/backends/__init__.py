"""Tracking stores: one file each, found by this folder, with a function ``connect(project) -> Backend``."""
