"""The notebooks of the documentation run from top to bottom in an empty project, and keep what they show."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.generated_docs import DOCS, script

NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom_and_stays_as_it_is(path: Path, project_folder: Path) -> None:
    before = {one: one.read_bytes() for one in path.parent.iterdir()}
    done = script("notebooks").executed(path, project_folder)
    assert all(cell.execution_count for cell in done.cells if cell.cell_type == "code")
    # What a run makes lies in the project, and nowhere in the documentation.
    assert {one: one.read_bytes() for one in path.parent.iterdir()} == before
    assert {"cache", "mlruns"} <= {one.name for one in project_folder.iterdir()}


def test_what_they_show_is_kept_and_light() -> None:
    assert len(NOTEBOOKS) == 2
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "run docs/build_notebooks.py"
        shown = [one for cell in code for one in cell.outputs]
        assert not [one for one in shown if one.output_type == "error" or one.get("name") == "stderr"]
        assert any("image/png" in one.get("data", {}) for one in shown), "no picture"
        assert path.stat().st_size < 400_000
        assert "/tmp" not in path.read_text(encoding="utf-8"), "where it was run is shown"
