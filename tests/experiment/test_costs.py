"""What a run costs stands beside what it scores, and is the same when fits and features were there already."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from ser_experiments.features.store.costs import Cost, Costs, cost_of, note_cost
from ser_experiments.models.report import FitReport
from tests.command import ser
from tests.iemocap_tree import small_tree

COSTS = ("measuring_ms_per_s", "fit_s", "model_mb", "weights_mb")


def test_costs_add_up_and_are_read_back(tmp_path: Path) -> None:
    assert cost_of(tmp_path) is None
    note_cost(tmp_path, Cost(10.0, 0.5))
    note_cost(tmp_path, Cost(30.0, 0.3))
    assert cost_of(tmp_path) == pytest.approx(20.0)
    (tmp_path / "cost.json").write_text("{")
    assert cost_of(tmp_path) is None
    one, other = Costs(), Costs()
    one["lld", "a"] += Cost(1.0, 2.0)
    other["lld", "a"] += Cost(3.0, 4.0)
    one.add(other)
    assert one == {("lld", "a"): Cost(4.0, 6.0)}


def test_what_an_ensemble_took_is_what_its_members_took() -> None:
    members = {"a": FitReport(seconds=1.0), "b": FitReport(members={"c": FitReport(seconds=2.5)})}
    assert FitReport(members=members).made_in_s == pytest.approx(3.5)
    assert FitReport(members={**members, "d": FitReport()}).made_in_s is None
    assert FitReport(seconds=0.5, members=members).made_in_s == pytest.approx(0.5)
    assert FitReport().made_in_s is None


@pytest.mark.slow
@pytest.mark.parametrize("tracker", ["json", "mlflow"])
def test_a_board_shows_what_runs_cost(
    tmp_path: Path, project_folder: Path, tracker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SER_TRACKER", tracker)
    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    Path("experiments", "probe.toml").write_text('[features]\nsets = ["encoder"]\n[model]\ntype = "logreg"\n')
    for name in ("probe", "rf_lld", "probe"):
        assert ser("run", name, "--corpus", "iemocap", "--root", str(tree)).returncode == 0
    runs = json.loads(ser("compare", "--all", "--json").stdout)["runs"]
    by_name: dict[str, list[dict[str, float]]] = {}
    for run in runs:
        by_name.setdefault(run["experiment"], []).append({name: run[name] for name in COSTS})
    for name in ("measuring_ms_per_s", "fit_s", "model_mb"):
        assert all(one[name] > 0 for found in by_name.values() for one in found), name
    # The second run found its features measured: their cost is the same.
    first, second = by_name["probe"]
    assert first["measuring_ms_per_s"] == second["measuring_ms_per_s"]
    assert first["weights_mb"] == second["weights_mb"] > 0
    assert by_name["rf_lld"][0]["weights_mb"] is None
    shown = ser("compare").stdout
    assert "cost of" in shown
    assert "measuring, ms a second" in shown
    assert "weights, MB" in shown
    assert "| cost of | measuring, ms a second |" in ser("compare", "--markdown").stdout
    assert math.isclose(
        float(ser("compare", "--csv").stdout.splitlines()[1].split(",")[-4]),
        runs[0]["measuring_ms_per_s"],
        rel_tol=1e-4,
    )
