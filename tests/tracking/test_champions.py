"""What the registry does, in every store there is: champions, the ones before, and the names they are asked for by."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from ser_experiments import plugins, project
from ser_experiments.cli import ser
from ser_experiments.errors import InputError, SerError, StoreError
from ser_experiments.evaluation.compare import paired_difference
from ser_experiments.evaluation.scoring import get_score, interval, pooled
from ser_experiments.frames import Predictions
from ser_experiments.tracking import connect, registry
from ser_experiments.tracking.backend import PACKAGE, Backend, StoredRun, StoredSetting
from ser_experiments.tracking.leaderboard import choose_setting
from tests.logged import log
from tests.scored import MAKERS

GOOD, POOR = (MAKERS["classes"](skill, 3, 6, 12) for skill in (0.9, 0.2))


@pytest.fixture(params=plugins.names(PACKAGE))
def store(request: pytest.FixtureRequest, project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    monkeypatch.setenv("SER_TRACKER", request.param)
    return connect(project.find())


def finished(store: Backend, setting: str) -> tuple[StoredSetting, dict[str, StoredRun]]:
    """Return a setting and its runs by experiment."""
    found, _ = choose_setting(store, setting)
    return found, {run.name: run for run in found.runs}


def register(*arguments: str) -> Result:
    return CliRunner().invoke(ser, ["register", *arguments])


def aliases(store: Backend, name: str) -> dict[int, tuple[str, ...]]:
    return {one.version: one.aliases for one in store.versions(name)}


def test_champions_follow_each_other_and_come_back(store: Backend) -> None:
    for name in ("first", "second", "third"):
        log(name, GOOD, "demo-4class")
    setting, runs = finished(store, "demo-4class")
    name = registry.model_name(setting)
    assert name == "ser-demo-4class"
    assert registry.find(store, name, "champion") is None
    versions = {one: registry.register(store, setting, runs[one], "uar") for one in ("first", "second")}
    assert [one.version for one in versions.values()] == [1, 2]
    assert aliases(store, name) == {1: ("previous",), 2: ("champion",)}
    third = registry.register(store, setting, runs["third"], "uar")
    assert (third.name, third.version, third.aliases, third.run_id) == (name, 3, ("champion",), runs["third"].run_id)
    assert aliases(store, name) == {1: (), 2: ("previous",), 3: ("champion",)}
    back = registry.roll_back(store, name)
    assert (back.version, back.aliases, back.run_id) == (2, ("champion",), runs["second"].run_id)
    assert aliases(store, name) == {1: (), 2: ("champion",), 3: ("previous",)}
    assert registry.roll_back(store, name).version == 3, "and forth"
    champion = registry.find(store, name, "champion")
    assert champion is not None
    assert champion.run_id == runs["third"].run_id
    assert [one.version for one in registry.registered(store)] == [3, 2, 1]


def test_settings_go_back_by_themselves(store: Backend) -> None:
    made = {}
    for name, n_versions in (("a", 2), ("b", 3), ("c", 2)):
        for number in range(n_versions):
            log(f"{name}{number}", GOOD, name)
        setting, runs = finished(store, name)
        made[name] = [registry.register(store, setting, runs[f"{name}{number}"], "uar") for number in range(n_versions)]
    back = registry.roll_back(store, "ser-b")
    assert (back.name, back.version, back.run_id) == ("ser-b", 2, made["b"][1].run_id)
    assert aliases(store, "ser-b") == {1: (), 2: ("champion",), 3: ("previous",)}
    for other in ("a", "c"):
        assert aliases(store, f"ser-{other}") == {1: ("previous",), 2: ("champion",)}


def test_what_a_version_says_of_itself(store: Backend) -> None:
    log("svm", GOOD, "demo-4class", features="lld", rows="r1")
    setting, runs = finished(store, "demo-4class")
    made = registry.register(store, setting, runs["svm"], "wa")
    low, high = interval(GOOD, "speaker", "wa")[:2]
    assert made.tags == {
        "experiment": "svm",
        "metric": "wa",
        "score": f"{pooled(GOOD)['wa']:.4f}",
        "interval": f"{low:.4f} to {high:.4f}",
        "features": "lld",
        "rows": "r1",
        "synthetic": "",
    }
    assert json.loads(registry.as_json([made]))[0] == {**made.__dict__, "aliases": ["champion"]}


def test_what_a_run_does_not_know_is_left_empty(store: Backend) -> None:
    log("svm", GOOD, "demo-4class")
    setting, runs = finished(store, "demo-4class")
    poor = StoredRun(runs["svm"].run_id, "svm", 0, {}, {"uar": 0.25, "uar_ci_high": 0.5})
    tags = registry.register(store, setting, poor, "uar").tags
    assert tags["score"] == "0.2500"
    assert tags["interval"] == "0.5000"
    assert (tags["features"], tags["rows"]) == ("", "")
    assert registry.register(store, setting, poor, "wa").tags["score"] == "nan"


def test_the_page_of_a_model_says_what_it_holds(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SER_TRACKER", "json")
    log("svm", GOOD, "demo-4class")
    store = connect(project.find())
    setting, runs = finished(store, "demo-4class")
    registry.register(store, setting, runs["svm"], "uar")
    told = json.loads(Path("mlruns/json/models/ser-demo-4class/1.json").read_text())
    assert told["description"] == "Models of the setting demo-4class; see the aliases."


def test_models_of_others_are_left_alone(store: Backend) -> None:
    run_id = log("svm", GOOD, "demo-4class")
    store.register("somebodys", run_id, description="", tags={})
    assert registry.registered(store) == []
    with pytest.raises(InputError) as refused:
        registry.model_uri(store)
    assert str(refused.value) == "no model is registered; register the best run with: ser register"


def test_a_run_that_nobody_should_use(store: Backend) -> None:
    log("leaky", GOOD, "a", leaky="true", synthetic="false")
    log("made", GOOD, "b", leaky="false", synthetic="true")
    log("fine", GOOD, "c", leaky="false", synthetic="false")
    leaky, made, fine = (finished(store, one)[0].latest for one in "abc")
    for allowed in (True, False):
        with pytest.raises(SerError) as refused:
            registry.check_fit(leaky, allow_demo=allowed)
        assert str(refused.value) == (
            "leaky is not registered: its score is of the protocol p, where tested speakers were seen in "
            "training; run it under leave-one-speaker-out"
        )
        registry.check_fit(fine, allow_demo=allowed)
    with pytest.raises(SerError) as refused:
        registry.check_fit(made, allow_demo=False)
    assert str(refused.value) == (
        "made is not registered: it was trained on synthetic speech and knows nothing about people; say --allow-demo "
        "to try the registry with it"
    )
    registry.check_fit(made, allow_demo=True)
    log("knowing", GOOD, "d", leaky="false", synthetic="false", contaminated="true")
    knowing = finished(store, "d")[0].latest
    with pytest.raises(SerError, match="knowing is not registered: what measures its features has learned"):
        registry.check_fit(knowing, allow_demo=True)
    registry.check_fit(knowing, allow_demo=False, force=True)
    assert isinstance(register("--setting", "b").exception, SerError)
    assert register("--setting", "b", "--allow-demo").exit_code == 0


def test_who_knows_the_labels_is_not_chosen_as_the_best(store: Backend) -> None:
    log("knowing", GOOD, "a", contaminated="true")
    assert isinstance(register("--setting", "a").exception, SerError)
    log("fair", POOR, "a", contaminated="false")
    compared = CliRunner().invoke(ser, ["compare", "--setting", "a", "--json"])
    told = json.loads(compared.stdout)
    assert {row["experiment"]: row["contaminated"] for row in told["runs"]} == {"knowing": True, "fair": False}
    assert any(warning.startswith("knowing: what measures the features has learned") for warning in told["warnings"])
    done = register("--setting", "a")
    assert done.exit_code == 0
    assert "(fair) is champion" in done.stdout
    assert isinstance(register("knowing", "--setting", "a").exception, SerError)
    assert register("knowing", "--setting", "a", "--force").exit_code == 0


def test_against_the_champion(store: Backend) -> None:
    for name, predictions in (("poor", POOR), ("good", GOOD)):
        log(name, predictions, "demo-4class")
    setting, runs = finished(store, "demo-4class")
    assert registry.against_champion(store, setting, runs["poor"], "uar") is None
    registry.register(store, setting, runs["poor"], "uar")
    for metric in ("uar", get_score("log_loss")):
        against = registry.against_champion(store, setting, runs["good"], metric)
        assert against is not None
        champion, difference = against
        assert champion.run_id == runs["poor"].run_id
        expected = paired_difference(GOOD, POOR, "speaker", metric=metric)
        assert difference[:5] == pytest.approx(expected[:5], abs=1e-4)
        assert difference.clearly_better
    with pytest.raises(SerError) as refused:
        registry.against_champion(store, setting, runs["poor"], "uar")
    short = runs["poor"].run_id[:8]
    assert str(refused.value) == f"run {short} (poor) is the champion of demo-4class already"
    gone = StoredSetting(setting.name, setting.experiment_id, [runs["good"]])
    with pytest.raises(StoreError) as lost:
        registry.against_champion(store, gone, runs["good"], "uar")
    assert str(lost.value) == (f"the champion's run {short} is no longer in demo-4class; --force replaces it unseen")


@pytest.mark.parametrize(("unit", "n_groups"), [("speaker", 6), ("session", 3)])
def test_intervals_are_over_what_the_run_was_scored_over(store: Backend, unit: str, n_groups: int) -> None:
    pairs = {f"s{i}": f"pair {i // 2}" for i in range(6)}
    for name, found in (("poor", POOR), ("good", GOOD)):
        grouped = found.frame.assign(group=found.frame["speaker"].map(pairs))
        log(name, Predictions(grouped, found.task), "demo-4class", unit=unit)
    setting, runs = finished(store, "demo-4class")
    registry.register(store, setting, runs["poor"], "uar")
    against = registry.against_champion(store, setting, runs["good"], "uar")
    assert against is not None
    assert against[1].n_groups == n_groups


def test_going_back_where_there_is_nothing_to_go_back_to(store: Backend) -> None:
    with pytest.raises(InputError) as empty:
        registry.roll_back(store, "ser-demo-4class")
    assert str(empty.value) == "unknown model 'ser-demo-4class'; register the best run with: ser register"
    log("svm", GOOD, "demo-4class")
    setting, runs = finished(store, "demo-4class")
    registry.register(store, setting, runs["svm"], "uar")
    with pytest.raises(InputError) as alone:
        registry.roll_back(store, "ser-demo-4class")
    assert str(alone.value) == "ser-demo-4class: no previous champion to go back to"
    with pytest.raises(InputError) as unknown:
        registry.roll_back(store, "ser-demo-4clas")
    assert str(unknown.value) == "unknown model 'ser-demo-4clas'; did you mean 'ser-demo-4class'?"
    assert aliases(store, "ser-demo-4class") == {1: ("champion",)}


def test_what_models_are_asked_for_by(store: Backend) -> None:
    for setting in ("a", "c", "b"):
        log("svm", GOOD, setting)
    for name in ("a", "c", "b", "c"):
        setting, runs = finished(store, name)  # type: ignore[assignment]
        registry.register(store, setting, runs["svm"], "uar")
    for asked, uri in {
        "a": "models:/ser-a@champion",
        "ser-a": "models:/ser-a@champion",
        "c@previous": "models:/ser-c@previous",
        "ser-c@previous": "models:/ser-c@previous",
        "c/1": "models:/ser-c/1",
        "c/2": "models:/ser-c/2",
        "models:/anything@all": "models:/anything@all",
        "runs:/0123/model": "runs:/0123/model",
    }.items():
        assert registry.model_uri(store, asked) == uri
    for asked, words in {
        "a@previous": "ser-a has no 'previous'; allowed: 1, champion",
        "c/3": "ser-c has no '3'; allowed: 1, 2, champion, previous",
        "c@champ": "ser-c has no 'champ'; did you mean 'champion'?",
        "d@champion": "unknown model 'd@champion'; allowed: ser-a, ser-b, ser-c",
        "ser-bb": "unknown model 'ser-bb'; did you mean 'ser-b'?",
    }.items():
        with pytest.raises(InputError) as refused:
            registry.model_uri(store, asked)
        assert str(refused.value) == words


@pytest.mark.slow
def test_two_who_register_at_once_compare_one_after_the_other(store: Backend, project_folder: Path) -> None:
    for name in ("one", "two"):
        log(name, GOOD, "demo-4class")
    script = "import sys; from ser_experiments.cli import main; sys.argv = ['ser', 'register', sys.argv[1]]; main()"
    with registry.alone(project.find()):
        both = [
            subprocess.Popen([sys.executable, "-c", script, name], stderr=subprocess.PIPE, text=True)
            for name in ("one", "two")
        ]
        with pytest.raises(subprocess.TimeoutExpired):
            both[0].wait(4)
        assert store.versions() == []
    said = [one.communicate()[1] for one in both]
    assert sorted(one.returncode for one in both) == [0, 1]
    assert "it is not clearly better than the champion" in "".join(said)
    assert list(aliases(store, "ser-demo-4class").values()) == [("champion",)]


def test_a_registering_that_never_ends_is_said(
    store: Backend, project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log("one", GOOD, "demo-4class")
    monkeypatch.setattr(registry, "_PATIENCE_S", 0.05)
    lock = FileLock(project_folder / "mlruns" / ".registry.lock")
    with lock:
        refused = register("one").exception
        assert isinstance(refused, StoreError)
        assert "another `ser register` has been at work" in str(refused)
    assert register("one").exit_code == 0


def champions(store: Backend, **synthetic: str) -> None:
    """Register a champion of each setting; "" where a run does not say whether its corpus is synthetic."""
    for name, told in synthetic.items():
        log("svm", GOOD, name.replace("_", "-"), **({"synthetic": told} if told else {}))
        setting, runs = finished(store, name.replace("_", "-"))
        registry.register(store, setting, runs["svm"], "uar")


def test_the_only_champion_answers_where_none_is_named(store: Backend, caplog: pytest.LogCaptureFixture) -> None:
    champions(store, a="false")
    assert registry.model_uri(store) == "models:/ser-a@champion"
    champions(store, a="false")
    assert registry.model_uri(store) == "models:/ser-a@champion"
    assert caplog.text == ""


@pytest.mark.parametrize(
    "made", [{"made": "true"}, {"demo_4class": "true"}, {"demo_4class": ""}, {"x": "true", "demo_2class": ""}]
)
def test_a_model_of_synthetic_speech_never_stands_in(
    store: Backend, made: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="ser_experiments")
    champions(store, people="false")
    champions(store, **made)
    assert registry.model_uri(store) == "models:/ser-people@champion"
    for name in made:
        assert f"trained on synthetic speech: --model ser-{name.replace('_', '-')}" in caplog.text
        assert registry.model_uri(store, name.replace("_", "-")) == f"models:/ser-{name.replace('_', '-')}@champion"


@pytest.mark.parametrize(
    "damaged", ["settings/lost/setting.json", "models/ser-lost/1.json", "models/ser-lost/aliases.json"]
)
def test_one_damaged_file_hides_no_other(
    damaged: str, project_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SER_TRACKER", "json")
    store = connect(project.find())
    champions(store, lost="false", kept="false")
    (project_folder / "mlruns" / "json" / damaged).write_text('{"name": "los')
    assert "kept" in [one.name for one in store.settings()]
    assert registry.model_uri(store, "kept") == "models:/ser-kept@champion"
    assert CliRunner().invoke(ser, ["compare", "--json"]).exit_code == 0
    assert "ser-kept" in register("--list").stdout
    assert damaged in caplog.text
    if damaged.endswith("1.json"):
        # A version that cannot be read keeps its number.
        setting, runs = finished(store, "lost")
        assert registry.register(store, setting, runs["svm"], "uar").version == 2


def test_a_champion_that_came_back_answers(store: Backend) -> None:
    champions(store, a="false")
    champions(store, a="false")
    registry.roll_back(store, "ser-a")
    assert registry.model_uri(store) == "models:/ser-a@champion"
    found = registry.find(store, "ser-a", "champion")
    assert found is not None
    assert found.version == 1


@pytest.mark.parametrize("name", ["demonstration", "demo_2024", "my_demo_4class"])
def test_people_are_told_by_the_tag_and_not_by_the_name(store: Backend, name: str) -> None:
    """A manifest may be called like the demo."""
    champions(store, **{name: "false", "other_synthetic": "true"})
    assert registry.model_uri(store) == f"models:/ser-{name.replace('_', '-')}@champion"


def test_the_demo_answers_where_there_is_nothing_else(store: Backend) -> None:
    champions(store, demo_4class="true")
    assert registry.model_uri(store) == "models:/ser-demo-4class@champion"


@pytest.mark.parametrize(
    ("every", "asked"),
    [
        ({"a": "false", "b": "false"}, "2 settings have a champion: ser-a (svm), ser-b (svm)"),
        ({"a": "", "b": "false", "demo_4class": "true"}, "2 settings have a champion: ser-a (svm), ser-b (svm)"),
        ({"demo_2class": "true", "demo_4class": ""}, "ser-demo-2class (svm), ser-demo-4class (svm)"),
    ],
)
def test_where_settings_differ_the_user_is_asked(store: Backend, every: dict[str, str], asked: str) -> None:
    champions(store, **every)
    with pytest.raises(InputError) as refused:
        registry.model_uri(store)
    assert asked in str(refused.value)
    assert "; say whose is to answer: --model ser-" in str(refused.value)
    for command in ("predict", "app", "serve"):
        done = CliRunner().invoke(ser, [command, *(["x.wav"] if command == "predict" else [])])
        assert isinstance(done.exception, InputError), command
        assert "say whose is to answer" in str(done.exception)


def test_the_command_lists_and_goes_back(store: Backend) -> None:
    assert register("--list").stdout == "nothing is registered; register the best run with: ser register\n"
    assert json.loads(register("--list", "--json").stdout) == []
    for name, predictions in (("poor", POOR), ("good", GOOD)):
        log(name, predictions, "demo-4class")
    done = register("poor")
    assert done.stdout.splitlines() == [
        "ser-demo-4class version 1 (poor) is champion",
        "use it: ser predict FILE, or serve it: ser serve",
    ]
    score, low, high = pooled(GOOD)["uar"], *interval(GOOD, "speaker", "uar")[:2]
    told = json.loads(register("good", "--json").stdout)
    assert set(told) == {"name", "version", "aliases", "run_id", "tags", "created_ms"}
    assert told["aliases"] == ["champion"]
    assert told["version"] == 2
    assert told["tags"]["experiment"] == "good"
    new, old = register("--list").stdout.splitlines()
    assert new == (
        f"{'ser-demo-4class':<45} {2:>3}  {'good':<18} {f'uar {score:.4f} ({low:.4f} to {high:.4f})':<34} champion"
    )
    assert old.endswith(" previous")
    assert register("--rollback").stdout.startswith("ser-demo-4class version 1 (poor) is champion again\n")
    assert json.loads(register("--rollback", "--json").stdout)["version"] == 2


def test_a_version_without_words_is_listed(store: Backend) -> None:
    store.register("ser-old", log("svm", GOOD, "demo-4class"), description="", tags={})
    line = f"{'ser-old':<45} {1:>3}  {'':<18} {'  ()':<34}"
    assert register("--list").stdout == line.rstrip() + "\n"
    for alias in ("champion", "previous"):
        store.set_alias("ser-old", alias, 1)
    assert register("--list").stdout == f"{line} champion, previous\n"


def test_the_command_chooses_the_best_and_says_among_how_many(store: Backend) -> None:
    log("alone", GOOD, "a")
    assert register("--setting", "a").stdout.splitlines()[0] == f"alone: UAR {pooled(GOOD)['uar']:.3f}, the best of 1"
    for name, predictions in (("poor", POOR), ("good", GOOD)):
        log(name, predictions, "b")
    lines = register("--setting", "b").stdout.splitlines()
    assert lines[0].startswith(f"good: UAR {pooled(GOOD)['uar']:.3f}, the best of 2; corrected for the choice 0.")
    assert lines[1] == "ser-b version 1 (good) is champion"
    refused = register("poor", "--setting", "b").exception
    assert "poor is not registered: it is not clearly better than the champion good, version 1: UAR -" in str(refused)
    assert register("poor", "--setting", "b", "--force").exit_code == 0


def test_with_two_groups_a_difference_has_an_interval(store: Backend) -> None:
    for name, skill in (("poor", 0.2), ("good", 0.6)):
        log(name, MAKERS["classes"](skill, 3, 2, 12), "a")
    assert register("good").exit_code == 0
    refused = register("poor").exception
    assert "(95 % interval " in str(refused)
    assert " over 2 groups; a difference below " in str(refused)


def test_a_name_that_several_runs_have(store: Backend) -> None:
    ids = [log("svm", GOOD, "a", seed=seed) for seed in "01"]
    refused = register("svm").exception
    assert isinstance(refused, InputError)
    assert "'svm' was run in 2 ways in a (ser compare says how); name one: " in str(refused)
    assert {one[:8] for one in ids} == set(str(refused).rsplit(": ", 1)[1].split(", "))
    assert register(ids[0][:8]).exit_code == 0
    assert store.versions("ser-a")[0].run_id == ids[0]


def test_a_champion_that_nobody_described(store: Backend) -> None:
    first = log("poor", GOOD, "a")
    log("second", GOOD, "a")
    version = store.register("ser-a", first, description="", tags={})
    store.set_alias("ser-a", "champion", version)
    refused = register("second").exception
    assert f"than the champion {first[:8]}, version 1: UAR +0.000, where more is better (" in str(refused)
