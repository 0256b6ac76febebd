"""The page of an audit: what it says of every kind of task, in HTML that loads nothing and in Markdown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ser_experiments import project
from ser_experiments.evaluation.audited import Audited
from ser_experiments.evaluation.compare import Difference
from ser_experiments.evaluation.plots.audit import say_conditions, say_differences, worst_first
from ser_experiments.report import audit
from ser_experiments.report.audit_words import in_words
from ser_experiments.report.written import write_html, write_markdown
from ser_experiments.tracking import connect
from ser_experiments.tracking.audits import keep_audit
from tests.audits import made_up
from tests.command import ser
from tests.logged import log
from tests.report.test_written import NASTY, shown
from tests.scored import MAKERS


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "png_of", lambda draw: b"\x89PNG drawn")


@pytest.mark.parametrize("kind", MAKERS)
def test_a_page_of_every_kind(kind: str, undrawn: None) -> None:
    found = made_up(kind, run_id="0123456789abcdef")
    document = audit.document_of(found)
    page, markdown = shown(write_html(document)), write_markdown(document)
    text = "".join(page.texts)
    for one in found.robustness:
        for words in (one.condition.name, f"{one.score:.3f}", f"{one.worse[0]:+.3f}", one.condition.words):
            assert words in text
            assert words in markdown
    for group in found.fairness:
        for part in group.parts:
            assert part.name in text
            assert f"{part.threshold:.3f}" in text
    assert (f"recall of {found.fairness[0].by}" in text) is False
    for speaker in found.speakers:
        assert f"{speaker.score:.3f}" in text
    assert in_words(found) in text
    assert "0123456789abcdef" in text
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    alts = [attrs["alt"] for tag, attrs in page.tags if tag == "img"]
    assert alts == [say_conditions(found), say_differences(found)]
    assert ("same answer" in text) is (kind != "dimensions")
    assert f"![{alts[0][:30]}" in markdown


def test_what_stands_first_is_worst() -> None:
    assert [one.condition.name for one in worst_first(made_up())] == ["white noise 0 dB", "hall", "20 dB quieter"]
    assert worst_first(made_up("votes"))[0].condition.name == "white noise 0 dB", "where less is better"


def _passing(found: Audited) -> Audited:
    fine = replace(found.robustness[0], fall=Difference(0.0, -0.01, 0.01, 0.0, 0.0, 12, 1))
    return replace(found, robustness=[fine])


def test_the_words_follow_from_what_was_found() -> None:
    found = made_up()
    assert (
        "It is worse for certain under 2 of 3 conditions (noise, room); the worst, white noise 0 dB, leaves "
        f"{found.robustness[1].score:.3f}." in in_words(found)
    )
    assert 'First remedy: train on views of the recordings (augment = ["noise", "room"]).' in in_words(found)
    assert 'augment = ["noise", "room"]' in in_words(replace(found, views=("noise",)))
    trained = in_words(replace(found, views=("noise", "room")))
    assert "it is trained on views already (noise, room): measure by an encoder" in trained
    assert "Under none of 1 conditions is it worse for certain; 1 passed." in in_words(_passing(found))
    assert in_words(_passing(found)).endswith("Nothing that was audited failed.")
    wide = replace(found.robustness[0], fall=Difference(0.02, -0.1, 0.14, 0.05, 0.15, 12, 1))
    told = in_words(replace(found, robustness=[wide]))
    assert "With so few speakers it cannot be told of 20 dB quieter." in told
    assert told.endswith("First remedy: record more speakers, so that it can be told.")
    unequal = replace(found.fairness[0], verdict="failed", scores={"f": 0.9, "m": 0.6})
    told = in_words(replace(_passing(found), fairness=[unequal]))
    assert "By gender it differs by more than chance would show: 0.900 for f, 0.600 for m." in told
    assert "train on more speakers of the group that is worse" in told


def test_names_of_users_are_shown_and_not_obeyed(undrawn: None) -> None:
    words = [one for one in NASTY if one.isprintable()]
    found = made_up(experiment=words[0], setting=words[1], changes=words[2])
    speakers = [one._replace(name=word) for one, word in zip(found.speakers, words, strict=False)]
    page = shown(write_html(audit.document_of(replace(found, speakers=speakers))))
    text = "".join(page.texts)
    assert all(word in text for word in words[: len(speakers)])
    assert not {"script", "x"} & {tag for tag, _ in page.tags}


def test_the_cards_of_a_report_say_the_verdicts(
    undrawn: None, project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SER_TRACKER", "json")
    for module in ("drawn", "results"):
        monkeypatch.setattr(f"ser_experiments.report.{module}.png_of", lambda draw: b"\x89PNG drawn")
    run_id = log("svm", MAKERS["classes"](0.8, 1, 12, 12), "corpus-x", rows="r1")
    assert ser("register", run_id).returncode == 0
    assert ser("report").returncode == 0
    page = project_folder / "report-corpus-x" / "report.md"
    assert page.read_text().count(f"- **Audit**: not audited; do it with: ser audit {run_id[:8]}") == 2
    store = connect(project.find())
    run = store.settings()[0].runs[0]
    keep_audit(project.find(), store, run, made_up(run_id=run_id), {}, {})
    assert ser("report").returncode == 0
    assert page.read_text().count("- **Audit**: failed: white noise 0 dB, hall; passed: 11 of 13") == 2


@pytest.mark.parametrize("kind", MAKERS)
def test_the_pictures_are_drawn(kind: str) -> None:
    found = made_up(kind)
    assert set(audit.drawings_of(found)) == {audit.CONDITIONS, audit.DIFFERENCES}
    for draw in audit.drawings_of(found).values():
        figure = draw()
        labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert len(labels) >= 2
    assert audit.drawings_of(replace(found, robustness=[], fairness=[])) == {}
