"""The page on corpora is that of the code, and each corpus is in it."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from ser_experiments import plugins
from ser_experiments.corpora import chosen, corpus_names, read_corpus
from tests.command import ser
from tests.corpora.trees import clips
from tests.generated_docs import DOCS, page, script


def test_docs_tell_of_every_corpus_as_it_is() -> None:
    text = page("corpora")
    assert text == script("corpora").render(), "stale: run python docs/build_corpora.py"
    assert [name for name in corpus_names() if f"\n### {name}\n" not in text] == []


def test_the_command_lists_licence_size_speakers_and_classes() -> None:
    out = ser("corpora", "list").stdout
    said = out[out.index("\nemodb: ") : out.index("\nemovo: ")]
    assert "535 utterances, 10 speakers, 0.41 h, German, acted\n" in said
    assert "licence: CC0 1.0" in said
    assert "--labels 7class: angry = ang; bored = bor; disgusted = dis; fearful = fea; happy = hap" in said
    assert "folds audeering: audEERING 1.2.0" in said
    assert "warning: tess: two speakers" in out


def test_the_example_of_a_new_corpus_works(tmp_path: Path) -> None:
    text = (DOCS.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    declares, builds = (textwrap.dedent(one) for one in re.findall(r"```python\n(.*?)```", text, re.DOTALL)[:2])
    path = tmp_path / "plugins" / "corpora" / "polish.py"
    path.parent.mkdir(parents=True)
    path.write_text(declares, encoding="utf-8")
    tree: dict[str, object] = {"clips": clips, "Path": Path}
    exec(builds, tree)
    root = tree["build"](tmp_path / "copy")
    before = plugins.folder()
    plugins.use(tmp_path / "plugins")
    try:
        assert chosen(None, root) == "polish"
        table = read_corpus("polish", root)[1].utterances
    finally:
        plugins.use(before)
    for one, cells in tree["ROWS"].items():  # type: ignore[attr-defined]
        assert table.loc[one, list(cells)].to_dict() == cells
    assert len(table) == 18
