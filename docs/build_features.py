"""Write ``docs/features.md``: every column of every feature set, from the sets themselves.

Run with ``python docs/build_features.py`` after a set has changed; a test fails until then.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from ser_experiments.features.extractor import SETS, Extractor, get_extractor, set_names, set_of

TARGET = Path(__file__).with_name("features.md")
HEAD = """# Feature sets

Written by `python docs/build_features.py` from the sets themselves: do not edit.

A set is one file in `ser_experiments/features/sets/`. It turns audio into one row of numbers a recording, or into one
array over time, or, in one pass, into several such outputs: `SET` stands for the first of them and `SET/OUTPUT` for
another ([how](decisions/0011-measures.md)). Columns of rows are named `<descriptor>__<functional>`. Where the source of
a column names a function of librosa, the numbers equal that function's to one part in ten thousand, on the same frames;
tests hold this on real speech. `ser features describe NAME` prints these lists.
"""


def render() -> str:
    """Return the whole page."""
    # What is made of weights that are fetched has as many columns as they say, and a page of its own.
    fetched = [name for name in set_names() if hasattr(importlib.import_module(f"{SETS}.{name}"), "fetch")]
    extractors = [get_extractor(name) for name in set_names() if name not in fetched]
    overview = ["| set | columns | of an utterance | stored as |", "|---|---|---|---|"]
    for one in (output for extractor in extractors for output in extractor.outputs):
        kind = one.output.words.removesuffix(" an utterance")
        overview.append(f"| [`{one.name}`](#{set_of(one.name)}) | {len(one.columns)} | {kind} | {one.dtype} |")
    for name in fetched:
        overview.append(f"| [`{name}`](encoders.md) | as its weights say | one row, or one row a frame | either |")
    return "\n".join([HEAD, *overview, "", *(_section(extractor) for extractor in extractors)])


def _section(extractor: Extractor) -> str:
    module = importlib.import_module(f"{SETS}.{extractor.name}")
    lines = [f"## {extractor.name}", "", inspect.getdoc(module) or "", ""]
    if extractor.params:
        defaults = ", ".join(f"`{name} = {value!r}`" for name, value in extractor.params.items())
        lines += [f"Parameters and their defaults: {defaults}.", ""]
    for one in extractor.outputs:
        lines += [f"### {one.name}", ""] if one.number else []
        lines += ["| column | unit | formula or source |", "|---|---|---|"]
        lines += [f"| `{name}` | {unit} | {source.replace('|', '/')} |" for name, unit, source in one.columns]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(f"{TARGET}: {len(set_names())} sets")
