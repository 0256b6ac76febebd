"""Words of other people in a report: whatever they hold, they are shown and nothing obeys them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from ser_experiments.report.blocks import Code, Document, Facts, Notes, Paragraph, Picture, Section, Table
from ser_experiments.report.written import as_latex, as_markdown, write_html, write_latex, write_markdown
from ser_experiments.words import in_one_line

NASTY = [
    "<script>alert(1)</script>", '" onload="x', "a|b", "a&b &amp;", "__a_b__", "100 %", "C:\\a\\", "a\nb",
    "*a*", "[x](http://y)", "![x](y)", "`a`", "# a", "1. a", "- a", "+ a", "$a$ \\(b\\)", "{{ 7*7 }}",
    "{% raw %}", "~~a~~", "^a", "a\x1b[31mb", "---", "=====", "http://a.b", "www.a.b", "\\end{document}",
    "\\input{/etc/passwd}", "--set x=1", "a\u202eb", "日本語", "> a", "1) a", "</code></pre>", "```", "]]>",
    "<!-- a", "-->", "[2em] a", "a & b \\\\ c",
]  # fmt: skip


class _Shown(HTMLParser):
    """What a page shows: its text, its tags and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def shown(html: str) -> _Shown:
    page = _Shown()
    page.feed(html)
    page.close()
    return page


def document(word: str) -> Document:
    blocks = [
        Paragraph(word), Facts([(word, word)]), Table(word, ["name", word], [[word, word], ["plain", "1"]]),
        Picture("a.png", word, word, b"\x89PNG"), Notes([word]), Notes([word], warns=True), Code(word, word, "toml"),
    ]  # fmt: skip
    return Document(word, word, [Section("one", word, blocks), Section("two", "after it", [Paragraph("the end")])])


@pytest.mark.parametrize("word", NASTY)
def test_a_page_shows_any_word_and_has_no_other_tags(word: str) -> None:
    page, plain = shown(write_html(document(word))), shown(write_html(document("plain")))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert [sorted(attrs) for _, attrs in page.tags] == [sorted(attrs) for _, attrs in plain.tags]
    assert "".join(page.texts).count(in_one_line(word)) >= 8
    (image,) = [attrs for tag, attrs in page.tags if tag == "img"]
    assert image["alt"] == in_one_line(word)


@pytest.mark.parametrize("word", NASTY)
def test_markdown_shows_any_word_and_has_no_other_parts(word: str) -> None:
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    page, plain = (shown(reader.render(write_markdown(document(one)))) for one in (word, "plain"))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert [set(attrs) for _, attrs in page.tags] == [set(attrs) for _, attrs in plain.tags]
    text = "".join(page.texts)
    assert text.count(in_one_line(word).strip()) >= 8
    (image,) = [attrs for tag, attrs in page.tags if tag == "img"]
    assert image["alt"] == in_one_line(word)


@pytest.mark.parametrize("word", NASTY)
def test_latex_obeys_no_word(word: str) -> None:
    board = Table(word, ["rank", word, "UAR"], [["1", word, "-0.500"], ["2", "b", "-"]], names=1)
    text = write_latex(board, title=word, setting=word, card=word, notes=[word])
    begin, end = text.index("\\begin{table}"), text.index("\\end{table}")
    assert all(line.startswith("%") for line in text[:begin].splitlines())
    assert text[end:] == "\\end{table}\n"
    body = text[begin:end]
    commands = re.findall(r"\\([A-Za-z]+)", body.replace("\\\\", ""))
    assert set(commands) <= {
        "begin", "end", "centering", "small", "setlength", "tabcolsep", "caption", "label", "toprule", "midrule",
        "bottomrule", "par", "smallskip", "footnotesize", "textbackslash", "textasciicircum", "textasciitilde",
        "textless", "textgreater", "textbar", "textasciigrave",
    }  # fmt: skip
    bare = re.sub(r"\\[\\{}$&#_%]", "", body)
    assert bare.count("{") == bare.count("}")
    rows = body[body.index("\\midrule") : body.index("\\bottomrule")].strip().splitlines()[1:]
    assert [re.sub(r"\\&", "", row).count("&") for row in rows] == [2, 2]
    assert "$-$0.500" in rows[0]
    assert not set('#%_^$~"<>|`') & set(re.sub(r"\\.|\$[+-]\$", "", body))


def test_plain_words_stay_readable() -> None:
    assert as_markdown("UAR 0.791 (0.695 to 0.887), leave-one-out") == "UAR 0.791 (0.695 to 0.887), leave-one-out"
    assert as_latex("UAR 0.791 (95 % interval)") == r"UAR 0.791 (95 \% interval)"


def test_a_page_needs_nothing_else() -> None:
    html = write_html(document("plain"))
    page = shown(html)
    assert "script" not in {tag for tag, _ in page.tags}
    assert "link" not in {tag for tag, _ in page.tags}
    addresses = [attrs[key] or "" for _, attrs in page.tags for key in ("src", "href") if key in attrs]
    assert addresses
    assert all(one.startswith(("data:image/png;base64,", "#")) for one in addresses)
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_a_page_is_built_for_readers_who_hear_it() -> None:
    page = shown(write_html(document("plain")))
    tags = [tag for tag, _ in page.tags]
    assert dict(page.tags)["html"] == {"lang": "en"}
    assert tags.count("h1") == tags.count("main") == 1
    assert tags.index("a") < tags.index("h1")  # the skip link comes first
    heads = [attrs for tag, attrs in page.tags if tag == "th"]
    assert heads
    assert all(attrs["scope"] in ("col", "row") for attrs in heads)
    assert tags.count("table") == tags.count("caption") == 1
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    labelled = {attrs["aria-labelledby"] for _, attrs in page.tags if "aria-labelledby" in attrs}
    assert labelled <= set(ids)
