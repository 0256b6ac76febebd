"""Families of encoders: each file holds one as ``FAMILY``."""
