"""Tracking stores: one file each, found by this folder, with a function ``connect(project) -> Backend``.

A second one, ``there(project) -> bool``, says whether the project has such a store; without it what only reads connects
as well.
"""
