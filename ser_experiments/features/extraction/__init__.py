"""Extraction: what a table lacks is planned, handed out, and measured where there is room."""
