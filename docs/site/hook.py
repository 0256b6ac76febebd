"""What MkDocs asks of this project: pages that are made, pages that lie beside ``docs/``, and where each page stands.

A page is one file in ``docs/``. Where it stands is said in its first line by a comment, which GitHub does not show::

    <!-- site: explanation -->

Pages that say nothing are a how-to; decisions, notebooks and pages that a script writes are known by where they lie and
by what they say of themselves.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
#: In the order in which they stand.
SECTIONS = {
    "tutorial": "Tutorial",
    "how-to": "How to",
    "reference": "Reference",
    "explanation": "Explanation",
    "project": "Project",
    "decisions": "Decisions",
}
#: What lies beside ``docs/`` and is a page of the site.
BESIDE = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
_SAID = re.compile(r"\A<!-- site: ([a-z-]+) -->\n")
_LINK = re.compile(r"(!?)\[([^][]*(?:\[[^][]*\][^][]*)*)\]\(([^()\s]+)\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let the scripts of this folder be imported."""
    sys.path[:0] = [str(HERE), str(ROOT)]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and put every page into its section."""
    import reference

    for name, text in reference.pages().items():
        files.append(File.generated(config, name, content=text))
    for name, place in BESIDE.items():
        files.append(File.generated(config, place, content=(ROOT / name).read_text(encoding="utf-8")))
    found: dict[str, list[str]] = {section: [] for section in SECTIONS}
    for file in files.documentation_pages():
        if file.src_uri != "index.md":
            found[section_of(file.src_uri, file.content_string)].append(file.src_uri)
    pages = [{SECTIONS[name]: sorted(uris, key=_order)} for name, uris in found.items() if uris]
    config.nav = [{"Home": "index.md"}, *pages]
    return files


def section_of(uri: str, text: str) -> str:
    """Return where a page stands.

    Raises
    ------
    PluginError
        The page names a section that there is not.
    """
    said = _SAID.match(text)
    if said:
        if said[1] not in SECTIONS:
            raise PluginError(f"docs/{uri}: unknown section {said[1]!r}; allowed: {', '.join(SECTIONS)}")
        return said[1]
    folder = posixpath.dirname(uri)
    known = {"decisions": "decisions", "notebooks": "tutorial", "reference": "reference"}
    if folder in known:
        return known[folder]
    if uri in BESIDE.values():
        return "project"
    return "reference" if re.search(r"^(Written|Made) by `", text, re.MULTILINE) else "how-to"


def _order(uri: str) -> tuple[bool, str]:
    """Pages first that are written, then those that are made; the glossary and the like by their names."""
    return uri.startswith("reference/"), uri


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links that leave ``docs/`` to where their target is in the site, or say its path where it is in none."""
    uri = page.file.src_uri
    beside = {place: name for name, place in BESIDE.items()}
    # Where the text lies in the repository: links are written for that place, so that they work on GitHub, too.
    lies = beside.get(uri, f"docs/{uri}")
    if uri.startswith("reference/"):
        return markdown
    return _outside_code(_SAID.sub("", markdown), lambda text: _LINK.sub(lambda one: _led(one, lies, uri), text))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Take away what reStructuredText says of a name before it: docstrings have it, Markdown does not."""
    return re.sub(r":(?:attr|class|func|meth|mod):(?=<code>)", "", html)


def _outside_code(markdown: str, change: Any) -> str:
    parts = re.split(r"(^ *```.*?^ *```[^\n]*$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if place % 2 else change(part) for place, part in enumerate(parts))


def _led(link: re.Match[str], lies: str, uri: str) -> str:
    mark, words, target = link.groups()
    path, hash_, anchor = target.partition("#")
    if not path or "://" in path or path.startswith("mailto:"):
        return link[0]
    found = posixpath.normpath(posixpath.join(posixpath.dirname(lies), path))
    if not (ROOT / found).exists():
        raise PluginError(f"{lies}: dead link to {target}")
    if found in BESIDE:
        inside = BESIDE[found]
    elif found == "docs/decisions":
        inside, hash_, anchor = "decisions/0001-architecture.md", "", ""
    elif found.startswith("docs/") and (ROOT / found).is_file():
        inside = found.removeprefix("docs/")
    else:
        return words if mark else f"{words} (`{found}`)" if words.strip("`") != found else words
    to = posixpath.relpath(inside, posixpath.dirname(uri) or ".")
    return f"{mark}[{words}]({to}{hash_}{anchor})"
