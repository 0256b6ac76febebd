"""The changelog, the citation, the workflows and the forms are what their readers take."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ser_experiments import __version__
from tests.generated_docs import script

ROOT = Path(__file__).parents[1]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(set((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) - {ROOT / ".github/ISSUE_TEMPLATE/config.yml"})


def loaded(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def faults(changelog: str) -> list[str]:
    """Return what in a changelog is not as Keep a Changelog has it."""
    bad = []
    lines = changelog.splitlines()
    versions = [line for line in lines if line.startswith("## ")]
    bad += [] if versions[:1] == ["## [Unreleased]"] else ["the first version is not [Unreleased]"]
    bad += [one for one in versions[1:] if not re.fullmatch(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", one)]
    for part in changelog.split("\n## ")[1:]:
        kinds = re.findall(r"^### (.*)$", part, re.MULTILINE)
        bad += [f"order or names of {kinds}"] if kinds != [kind for kind in KINDS if kind in kinds] else []
        for section in part.split("\n### ")[1:]:
            name, _, body = section.partition("\n")
            items = re.split(r"^- ", body.strip("\n"), flags=re.MULTILINE)
            bad += [f"{name}: text before the first item"] if items[0].strip() else []
            bad += [f"{name}: has no item"] if len(items) < 2 else []
            for item in items[1:]:
                words = " ".join(item.split())
                bad += [f"{name}: no full stop: {words[-40:]}"] if not words.endswith((".", ".)")) else []
                bad += [f"{name}: a gap in {words[:40]}"] if "\n\n" in item.rstrip("\n") else []
                bad += [f"{name}: said twice: {words[:40]}"] if changelog.count(f"- {item}") > 1 else []
    return bad


def test_the_changelog_has_its_form() -> None:
    assert faults(CHANGELOG) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("## [Unreleased]", "## 0.1.0 (unreleased)", "the first version"),
        ("### Fixed", "### Mended", "order or names"),
        ("### Fixed\n", "### Fixed\n\nMuch.\n", "text before"),
        ("### Removed\n\n", "### Removed\n\n- It\n", "no full stop"),
        ("### Fixed\n", "### Deprecated\n\n- It goes.\n\n### Fixed\n", "order or names"),
    ],
)
def test_what_is_not_its_form_is_seen(old: str, new: str, fault: str) -> None:
    assert old in CHANGELOG
    assert any(fault in one for one in faults(CHANGELOG.replace(old, new, 1)))


def test_versions_are_said_once() -> None:
    assert loaded(ROOT / "CITATION.cff")["version"] == __version__
    said = re.findall(r"^## \[(\d\S*)\]", CHANGELOG, re.MULTILINE)
    assert said[:1] in ([], [__version__])


def test_the_notes_of_a_release_are_its_section() -> None:
    section = script("release_notes").section
    text = "# C\n\n## [Unreleased]\n\n## [1.0.0] - 2026-01-02\n\n### Added\n\n- A.\n\n## [0.9.0] - 2025-01-02\n\n- B.\n"
    assert section(text, "1.0.0") == "### Added\n\n- A.\n"
    assert section(text, "0.9.0") == "- B.\n"
    with pytest.raises(ValueError, match=r"no section \[Unreleased\]"):
        section(text, "Unreleased")


def test_a_tag_of_another_version_is_refused() -> None:
    command = [sys.executable, str(ROOT / "docs" / "build_release_notes.py"), "99.0.0"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == f"error: ser_experiments/__init__.py: version {__version__}, the tag says 99.0.0\n"


def test_the_citation_is_whole() -> None:
    held = loaded(ROOT / "CITATION.cff")
    assert {"cff-version", "message", "title", "authors", "license"} <= held.keys()
    assert held["license"] == PROJECT["license"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_there_is(path: Path) -> None:
    held = loaded(path)
    # YAML reads the key `on` as true.
    assert {"name", "permissions", "jobs"} <= held.keys()
    assert True in held
    assert held["permissions"] == {"contents": "read"}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for job in held["jobs"].values():
        assert job["timeout-minutes"] <= 180
        assert set(job.get("needs", "").split()) <= held["jobs"].keys()
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert set(re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))) <= targets
            for file in re.findall(r"(?:\.ci|docs)/[\w.]+", step.get("run", "")):
                assert (ROOT / file).is_file()


def test_pythons_that_are_promised_are_tested() -> None:
    matrix = loaded(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["whole"]["strategy"]["matrix"]["python"]
    least, most = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()  # type: ignore[union-attr]
    assert matrix == [f"3.{minor}" for minor in range(int(least), int(most))]


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem
)
def test_a_form_can_be_filled_in(path: Path) -> None:
    form = loaded(path)
    assert {"name", "description", "body"} <= form.keys()
    fields = [one for one in form["body"] if one["type"] != "markdown"]
    assert len({one["id"] for one in fields}) == len(fields)
    assert all(one["attributes"]["label"] for one in fields)


def test_what_git_asks_before_a_commit_is_what_the_check_asks() -> None:
    hooks = loaded(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    asked = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = re.findall(r"\$\(BIN\)/([\w-]+)", makefile.partition("\ncheck:")[2].partition("\n\n")[0])
    assert set(wanted) <= asked
