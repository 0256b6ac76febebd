"""Links of the pages lead somewhere, pages have a place, and the site builds without a warning."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md"),
                 *(ROOT / ".github").rglob("*.md")]
)  # fmt: skip
SECTIONS = ("tutorial", "how-to", "reference", "explanation", "project")


def links(text: str) -> list[str]:
    """Return what a page links to: pages, files, pictures."""
    # Code in the words of a link is no end of it.
    text = re.sub(r"^ *(```+).*?^ *\1[^\n]*$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\[(?:`[^`]*`|[^][`]|\[[^][]*\])*\]\(([^()\s]+)\)", text)


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    text = re.sub(r"^ *(```+).*?^ *\1[^\n]*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found: list[str] = []
    for heading in re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        found.append(slug if slug not in found else f"{slug}-{found.count(slug)}")
    return frozenset(found)


def dead(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere; addresses of others are not asked."""
    bad = []
    for target in links(page.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        to = page.parent / name if name else page
        if not to.exists() or (anchor and (to.suffix != ".md" or anchor not in anchors(to))):
            bad.append(target)
    return bad


def test_there_are_pages() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/evaluation.md"} <= set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_no_link_is_dead(name: str) -> None:
    assert dead(ROOT / name) == []


def test_dead_links_are_seen(tmp_path: Path) -> None:
    (tmp_path / "to.md").write_text("# To\n\n## What `x` is, in words\n\n```\n# no heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n[a](to.md) [b](to.md#what-x-is-in-words) [`c`](#page) ![p](away.png) [d](gone.md) "
        "[e](to.md#no-heading) [f](https://a.example) [g](#away)\n```\n[h](code.md)\n```\n"
    )
    assert dead(page) == ["away.png", "gone.md", "to.md#no-heading", "#away"]


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("docs/")])
def test_a_page_begins_with_its_heading_and_at_most_its_place(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    said = re.fullmatch(r"<!-- site: ([a-z-]+) -->", lines[0])
    assert said is None or said[1] in SECTIONS
    assert lines[0 if said is None else 1].startswith("# ")


def test_pictures_are_shown_somewhere() -> None:
    shown = {Path(target).name for name in PAGES for target in links((ROOT / name).read_text(encoding="utf-8"))}
    assert {path.name for path in (ROOT / "docs" / "img").iterdir()} <= shown


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="needs MkDocs: make docs")
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    given = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    found = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert not re.findall(r"^(?:WARNING|ERROR).*", found.stderr, re.MULTILINE)
    commands = (tmp_path / "site" / "reference" / "commands.html").read_text(encoding="utf-8")
    assert "--set" in commands
    assert "ser corpora describe" in commands
    assert "run_experiment" in (tmp_path / "site" / "reference" / "api.html").read_text(encoding="utf-8")
    for name in ("changelog", "contributing", "index", "decisions/0001-architecture"):
        assert (tmp_path / "site" / f"{name}.html").is_file()
