"""Build the demo corpus: synthetic speech in the layout of the IEMOCAP release.

``plan`` decides who says what, meant how (``prosody``, ``texts``) and rated how (``raters``); ``session`` speaks it
(``espeak``, ``speakers``) into a room (``sound``) and writes it down (``release``).
"""

from ser_experiments.corpora._demo.builder import MARKER, VERSION, build, built, leftovers

__all__ = ["MARKER", "VERSION", "build", "built", "leftovers"]
