"""Audits are kept with their run in every store, and whoever asks for one registers no model whose audit failed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ser_experiments import plugins, project
from ser_experiments.cli import ser
from ser_experiments.errors import InputError, SerError, StoreError
from ser_experiments.evaluation.audited import Audited
from ser_experiments.evaluation.compare import Difference
from ser_experiments.evaluation.fairness import UNKNOWN
from ser_experiments.tracking import connect
from ser_experiments.tracking.audit_gate import check_audit
from ser_experiments.tracking.audits import AUDIT, PAGE, TAG, keep_audit, read_audit
from ser_experiments.tracking.backend import PACKAGE, Backend, StoreAway, StoredRun
from ser_experiments.tracking.outbox import home
from ser_experiments.tracking.sync import deliver_abandoned
from tests.audits import made_up
from tests.logged import log
from tests.scored import MAKERS

GOOD = MAKERS["classes"](0.8, 1, 12, 12)


@pytest.fixture(params=plugins.names(PACKAGE))
def store(request: pytest.FixtureRequest, project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    monkeypatch.setenv("SER_TRACKER", request.param)
    return connect(project.find())


@pytest.fixture
def folder(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    monkeypatch.setenv("SER_TRACKER", "json")
    return connect(project.find())


def register(*arguments: str) -> Result:
    return CliRunner().invoke(ser, ["register", *arguments])


def refused(*arguments: str) -> str:
    """Return why a run is not registered; nothing is then."""
    error = register(*arguments).exception
    assert isinstance(error, SerError), error
    assert "\n" not in str(error)
    return str(error)


def run_of(store: Backend, run_id: str) -> StoredRun:
    return next(run for one in store.settings() for run in one.runs if run.run_id == run_id)


def audited(store: Backend, found: Audited, *, name: str = "svm") -> str:
    """Log a run and keep an audit with it."""
    run_id = log(name, GOOD, "corpus-x", rows="r1")
    told = replace(found, run_id=found.run_id or run_id)
    assert keep_audit(project.find(), store, run_of(store, run_id), told, {PAGE: "<p>page"}, {})
    return run_id


def only(found: Audited, *names: str) -> Audited:
    """Return an audit of some conditions and of gender."""
    robust = [one for one in found.robustness if one.condition.name in names]
    return replace(found, robustness=robust, fairness=found.fairness[:1])


def test_an_audit_is_kept_and_read_again(store: Backend, tmp_path: Path) -> None:
    run_id = audited(store, made_up())
    found = read_audit(store, run_id)
    assert found == replace(made_up(), run_id=run_id)
    run = run_of(store, run_id)
    assert run.tags[TAG] == found.summary
    assert run.tags[TAG].startswith("failed: white noise 0 dB, hall; passed: ")
    assert {AUDIT, PAGE} <= set(store.keeper().held(run_id).files)
    assert store.artifact(run_id, PAGE, tmp_path).read_text() == "<p>page"
    assert store.status(run_id) == "FINISHED"
    assert list(home(project.find()).iterdir()) == []
    assert read_audit(store, log("other", GOOD, "corpus-x")) is None
    shown = CliRunner().invoke(ser, ["runs", "show", run_id, "--json"])
    assert json.loads(shown.stdout)["audit"]["failed"] == ["white noise 0 dB", "hall"]
    lines = CliRunner().invoke(ser, ["runs", "show", run_id]).stdout
    assert "audit: 11 of 13 passed, the page is audit.html\n  failed: white noise 0 dB (UAR 0." in lines


def test_the_gate(store: Backend) -> None:
    run_id = audited(store, made_up())
    said = refused(run_id, "--require-audit")
    assert said.startswith("svm is not registered: its audit failed for white noise 0 dB (UAR 0.310, worse by +0.470, ")
    assert "; hall (UAR 0." in said
    assert store.versions() == []
    assert "failed for white noise 0 dB" in refused(run_id, "--require-audit", "white noise 0 dB")
    assert "failed for hall" in refused(run_id, "--require-audit", "gender", "--require-audit", "hall", "--force")
    # What failed is not what is asked for.
    done = register(run_id, "--require-audit", "gender", "--require-audit", "20 dB quieter")
    assert done.exit_code == 0, done.exception
    assert store.versions()[0].run_id == run_id


def test_a_run_that_passed(folder: Backend) -> None:
    run_id = audited(folder, only(made_up(), "20 dB quieter"))
    done = register(run_id, "--require-audit")
    assert done.exit_code == 0, done.exception
    # What nobody has listened to is said.
    assert "note: not audited: babble 20 dB, " in done.stderr
    assert "20 dB quieter" not in done.stderr


def test_what_cannot_be_told_is_said_and_no_reason(folder: Backend) -> None:
    found = only(made_up(), "20 dB quieter")
    wide = replace(found.robustness[0], fall=Difference(0.02, -0.1, 0.14, 0.05, 0.15, 12, 1))
    run_id = audited(folder, replace(found, robustness=[wide]))
    done = register(run_id, "--require-audit", "20 dB quieter")
    assert done.exit_code == 0, done.exception
    assert f"note: {UNKNOWN}: 20 dB quieter (UAR 0.780, worse by +0.020, -0.100 to +0.140)" in done.stderr


def test_what_was_not_audited(folder: Backend) -> None:
    run_id = log("svm", GOOD, "corpus-x")
    short = run_id[:8]
    said = f"svm is not registered: run {short} was not audited; do it with: ser audit {short}"
    assert refused(run_id, "--require-audit") == said
    run_id = audited(folder, only(made_up(), "20 dB quieter"))
    assert "was not audited for hall; do it with: ser audit" in refused(run_id, "--require-audit", "hall")
    # A kind is all of its conditions.
    assert "was not audited for 6 dB louder, clipped 1 %" in refused(run_id, "--require-audit", "level")
    assert "does not tell the language of its speakers" in refused(run_id, "--require-audit", "language")


def test_an_audit_of_another_run(folder: Backend) -> None:
    other = log("other", GOOD, "corpus-x", rows="r1")
    run_id = audited(folder, only(made_up(run_id=other), "20 dB quieter"))
    assert f"the audit that lies with run {run_id[:8]} is of another ({other[:8]}); ser audit" in refused(
        run_id, "--require-audit"
    )
    assert folder.versions() == []
    run = run_of(folder, run_id)
    mine = replace(only(made_up(), "20 dB quieter"), run_id=run_id)
    assert check_audit(run, mine, ["20 dB quieter"]) == []
    for changed in ({"rows": "r2"}, {"score": 0.5}, {"run_id": ""}):
        with pytest.raises(SerError, match="is of another"):
            check_audit(run, replace(mine, **changed))  # type: ignore[arg-type]


def test_what_is_asked_wrongly(folder: Backend) -> None:
    run_id = log("svm", GOOD, "corpus-x")
    for more, said in (
        (("--require-audit", "hal"), "--require-audit 'hal': neither a condition nor a group; did you mean 'hall'?"),
        (("--require-audit", "--list"), "--require-audit is of a run that is registered now; leave it out"),
        (("--require-audit", "--rollback"), "--require-audit is of a run that is registered now; leave it out"),
    ):
        error = register(run_id, *more).exception
        assert isinstance(error, InputError)
        assert str(error).startswith(said)


def test_a_damaged_audit_is_none(folder: Backend, project_folder: Path) -> None:
    run_id = audited(folder, made_up())
    (path,) = (project_folder / "mlruns").rglob(AUDIT)
    path.write_text('{"format": "ser-audit/1"}')
    assert read_audit(folder, run_id) is None
    assert "was not audited" in refused(run_id, "--require-audit")
    assert CliRunner().invoke(ser, ["runs", "show", run_id]).exit_code == 0


def test_while_the_store_is_away_an_audit_waits(folder: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = log("svm", GOOD, "corpus-x", rows="r1")
    run = run_of(folder, run_id)

    def gone(*_: object) -> None:
        raise StoreAway("gone")

    with monkeypatch.context() as patch:
        patch.setattr(type(folder), "perform", gone)
        assert not keep_audit(project.find(), folder, run, replace(made_up(), run_id=run_id), {PAGE: "page"}, {})
    assert read_audit(folder, run_id) is None
    deliver_abandoned(project.find(), folder)
    assert read_audit(folder, run_id) is not None
    assert folder.status(run_id) == "FINISHED"
    # What is damaged meanwhile is lost; the run ended long before.
    with monkeypatch.context() as patch:
        patch.setattr(type(folder), "perform", gone)
        keep_audit(project.find(), folder, run, replace(made_up(), run_id=run_id), {PAGE: "page"}, {})
    next(home(project.find()).rglob(PAGE)).write_text("another")
    with pytest.raises(StoreError, match="are set aside in"):
        deliver_abandoned(project.find(), folder)
    assert folder.status(run_id) == "FINISHED"
