"""Encoders of the hub that are known by name: what a person wants to know before choosing one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Known:
    """An encoder of the hub.

    Parameters
    ----------
    name : str
        Its id.
    family : str
        ``model_type`` of its configuration.
    layers, width : int
        Blocks, and the width of a hidden state.
    parameters : float
        Of the encoder alone, in millions.
    languages, licence, heard : str
        In words: what it speaks, who may use it, what it was trained on.
    trained_on : tuple of str
        Emotion corpora whose labels it has seen.
    """

    name: str
    family: str
    layers: int
    width: int
    parameters: float
    languages: str
    licence: str
    heard: str
    trained_on: tuple[str, ...] = ()


@cache
def catalogue() -> dict[str, Known]:
    """Return the encoders that are known, by id."""
    text = files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {
        name: Known(name, **{**told, "trained_on": tuple(told.get("trained_on", ()))})
        for name, told in tomllib.loads(text).items()
    }


def trained_on(pinned: str) -> tuple[str, ...]:
    """Return the emotion corpora that an encoder has seen, as far as is known by its id; a revision counts nothing."""
    known = catalogue().get(pinned.partition("@")[0])
    return known.trained_on if known else ()


def names_corpus(named: Sequence[str], corpus: str) -> bool:
    """Whether a corpus is among names that were written in another way."""
    return _plain(corpus) in map(_plain, named)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()
