"""Requests: one value for everything that can be said of a run, and options made from it."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ser_experiments import plugins, project, run_experiment
from ser_experiments.cli import ser
from ser_experiments.cli._options import CorpusCommand, request_options, take
from ser_experiments.errors import InputError
from ser_experiments.experiment.request import CorpusRequest, Option, RunRequest, SettingRequest
from ser_experiments.experiment.run import prepare
from ser_experiments.experiment.selection import load, select, without
from tests.iemocap_tree import small_tree

KINDS = (CorpusRequest, SettingRequest, RunRequest)


def _options(kind: type[CorpusRequest]) -> dict[str, Option]:
    types = typing.get_type_hints(kind, include_extras=True)
    return {
        one.name: extra
        for one in fields(kind)
        for extra in getattr(types[one.name], "__metadata__", ())
        if isinstance(extra, Option)
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_that_is_said_is_an_option(kind: type[CorpusRequest]) -> None:
    @click.command()
    @request_options(kind)
    def command(**given: object) -> None:
        """Stand for a command."""

    said = _options(kind)
    assert len(said) >= 4
    assert [param.name for param in command.params] == list(said)
    for param in command.params:
        assert isinstance(param, click.Option)
        assert param.help == said[str(param.name)].help


def test_what_is_said_arrives_and_what_is_not_keeps_its_default() -> None:
    taken: list[RunRequest] = []

    @click.command(cls=CorpusCommand)
    @request_options(RunRequest)
    def command(**given: object) -> None:
        taken.append(take(RunRequest, given, experiment="e"))
        assert not given

    def said(*arguments: str) -> RunRequest:
        done = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return taken[-1]

    plain = RunRequest(experiment="e")
    assert said() == plain
    assert said("--folds", "3", "--seed", "7") == replace(plain, n_splits=3, seed=7)
    assert said("--set", "a=1", "--set", "b=2") == replace(plain, overrides=("a=1", "b=2"))
    manifest = ("--corpus", "manifest")
    assert said(*manifest) == replace(plain, corpus=("manifest",))
    told = {"allow_outside": True, "name": "mine"}
    assert said("--allow-outside", "--name", "mine", *manifest) == replace(
        plain, corpus=("manifest",), corpus_options=told
    )
    assert CliRunner().invoke(command, ["--folds", "1"]).exit_code == 2
    assert CliRunner().invoke(command, ["--jobs", "0"]).exit_code == 2


def test_a_request_is_frozen_and_knows_its_fields() -> None:
    request = RunRequest(experiment="e")
    with pytest.raises(FrozenInstanceError):
        request.seed = 1  # type: ignore[misc]
    with pytest.raises(TypeError, match="no_such"):
        run_experiment("e", no_such=1)
    with pytest.raises(TypeError, match="name"):
        run_experiment("e", name="an option of another corpus")


OWN = """
from dataclasses import replace
from ser_experiments.corpora import Option, manifest

def read(root, *, at_least=1.5, at_most=3, loud=False, word=None):
    raise LookupError(repr((at_least, at_most, loud, word)))

SPEC = replace(manifest.SPEC, name="own", read=read, options=(
    Option("at-least", float, "Seconds of a recording."), Option("at-most", int, "Recordings of each speaker."),
    Option("loud", bool, "Loud ones only."), Option("word", str, "A word."), *MORE
))
"""


@pytest.fixture
def own_corpus(project_folder: Path) -> Iterator[Path]:
    path = project_folder / "plugins" / "corpora" / "own.py"
    path.parent.mkdir(parents=True)
    path.write_text(OWN.replace(", *MORE", ""))
    before = plugins.folder()
    yield path
    plugins.use(before)


COMMANDS = [
    ("run", "dummy", "--corpus", "own"),
    ("check", "dummy", "--corpus", "own"),
    ("protocol", "--corpus", "own"),
    ("corpora", "describe", "own"),
    ("features", "export", "lld", "t.csv", "--corpus", "own"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_options_of_a_plug_in_are_those_of_every_command_on_it(command: tuple[str, ...], own_corpus: Path) -> None:
    def told(*arguments: str) -> str:
        return str(CliRunner().invoke(ser, [*command, "--root", "r", *arguments]).exception)

    assert told() == "(1.5, 3, False, None)"
    assert told("--at-least", "2", "--at-most=0", "--loud", "--word", "own") == "(2.0, 0, True, 'own')"
    n_last = 1 if command[0] == "corpora" else 2
    first = CliRunner().invoke(ser, [*command[:-n_last], "--root", "r", "--at-most", "7", *command[-n_last:]])
    assert str(first.exception) == "(1.5, 7, False, None)", "in any place"
    wrong = CliRunner().invoke(ser, [*command, "--at-most", "many"])
    assert wrong.exit_code == 2
    assert "'many' is not a valid integer" in wrong.output
    assert "corpus 'own': --allow-outside is for --corpus manifest" in told("--allow-outside")
    shown = CliRunner().invoke(ser, [*command, "--help"]).stdout
    assert "--at-most INTEGER" in shown
    assert "Recordings of each speaker." in shown
    assert "--allow-outside" not in shown
    unknown = CliRunner().invoke(ser, [*command, "--at-mots", "1"])
    assert "'--at-most'" in unknown.output


def test_an_option_of_a_plug_in_that_the_command_has_itself_is_refused(own_corpus: Path) -> None:
    own_corpus.write_text(OWN.replace("*MORE", 'Option("seed", int, "Of the draw.")'))
    refused = CliRunner().invoke(ser, ["run", "dummy", "--corpus", "own"]).exception
    assert isinstance(refused, InputError)
    assert str(refused) == "corpus 'own': its option --seed is one of the command's own; give it another name"


def test_in_python_the_options_of_a_corpus_are_keywords(own_corpus: Path) -> None:
    plugins.use(own_corpus.parents[1])
    with pytest.raises(LookupError, match=r"\(1.5, 5, True, None\)"):
        run_experiment("dummy", corpus="own", root="r", at_most=5, corpus_options={"loud": True})


def test_enrolled_clips_are_in_no_fold_and_the_setting_says_so(tmp_path: Path) -> None:
    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    request = SettingRequest(corpus="iemocap", root=tree, normalize="neutral-1")
    corpus = load(request, project.find())
    selection = select(request, corpus)
    taken = {one for ids in selection.enrolled.values() for one in ids}
    assert len(taken) == corpus.utterances["speaker"].nunique()
    assert set(selection.corpus.utterances.index) == set(corpus.utterances.index) - taken
    assert selection.folds.group.index.equals(selection.corpus.utterances.index)
    assert selection.setting.normalize == "neutral-1"
    assert selection.card.setting["normalize"] == "neutral-1"
    assert without(corpus, []) is corpus


def test_recordings_that_are_left_out_are_as_if_they_had_never_been_there(tmp_path: Path, project_folder: Path) -> None:
    """Folds, enrolment and the digest of the rows are those of the corpus without them."""
    whole = small_tree(tmp_path / "a" / "IEMOCAP_full_release")
    spoilt = small_tree(tmp_path / "b" / "IEMOCAP_full_release")
    plain = prepare(RunRequest(experiment="dummy", corpus="iemocap", root=whole), project.find())
    bad = plain.selection.corpus.utterances.index[0]
    path = Path(plain.utterances["path"][bad]).relative_to(whole)
    (spoilt / path).write_bytes(b"no audio")
    asked = RunRequest(experiment="svm_lld", corpus="iemocap", root=spoilt, normalize="enrol-1", skip_bad=True)
    prepared = prepare(asked, project.find())
    assert list(prepared.skipped) == [bad]
    fewer = select(asked, without(load(asked, project.find()), [bad]))
    assert prepared.setting == fewer.setting
    assert prepared.enrolled == fewer.enrolled
    assert bad not in prepared.table.index
    assert prepared.table.index.equals(fewer.corpus.utterances.index)
    with pytest.raises(InputError, match=r"1 of \d+ recordings cannot be used"):
        prepare(replace(asked, skip_bad=False), project.find())


def test_a_project_is_an_argument(tmp_path: Path, project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing below the command looks for a project by itself when it is told one."""
    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    here = project.find()
    monkeypatch.chdir(tmp_path)
    prepared = prepare(RunRequest(experiment="dummy", corpus="iemocap", root=tree), here)
    assert prepared.experiment.folder == here.experiments
    assert not (tmp_path / "cache").exists()
    result = run_experiment("dummy", corpus="iemocap", root=tree, project=here, log_run=False)
    assert len(result.predictions) == len(prepared.rows)
    assert not (tmp_path / "cache").exists()
