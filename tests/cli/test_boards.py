"""Tables on the terminal: on a narrow one nothing of them is lost."""

from __future__ import annotations

import re

import pytest
from rich.console import Console

from ser_experiments.cli._boards import print_table
from ser_experiments.report.plain import finite

_HEADINGS = ["", "experiment", "UAR", "95 % interval", "to the best", "its 95 % interval", "detectable"]
_ROWS = [
    ["1", "attention_encoder_speaker", "0.791", "0.695 to 0.887", "", "", ""],
    ["2", "xgb_lld", "0.700", "0.601 to 0.802", "-0.091", "-0.153 to -0.014", "0.045"],
]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_narrow_terminal_shows_all_of_a_board(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Eighty columns once left of a score its first figure."""
    print_table(Console(width=width), _HEADINGS, _ROWS, left=[1])
    shown = capsys.readouterr().out
    assert "…" not in shown
    for number in re.findall(r"[-\d.]{5,}", " ".join(cell for row in _ROWS for cell in row)):
        assert number in shown
    assert all(len(line) <= width for line in shown.splitlines())


def test_a_row_for_json_holds_no_number_that_json_does_not_know() -> None:
    row = finite({"a": float("nan"), "b": float("inf"), "c": 0.5, "d": "x", "e": 3})
    assert row == {"a": None, "b": None, "c": 0.5, "d": "x", "e": 3}
