"""Requests: one value for everything that can be said of a run, and options made from it."""

from __future__ import annotations

import typing
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ser_experiments import project, run_experiment
from ser_experiments.cli._options import request_options, take
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
    assert len(said) >= 6
    assert [param.name for param in command.params] == list(said)
    for param in command.params:
        assert isinstance(param, click.Option)
        assert param.help == said[str(param.name)].help


def test_what_is_said_arrives_and_what_is_not_keeps_its_default() -> None:
    taken: list[RunRequest] = []

    @click.command()
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
    assert said("--allow-outside", "--name", "mine") == replace(plain, allow_outside=True, name="mine")
    assert CliRunner().invoke(command, ["--folds", "1"]).exit_code == 2
    assert CliRunner().invoke(command, ["--jobs", "0"]).exit_code == 2


def test_a_request_is_frozen_and_knows_its_fields() -> None:
    request = RunRequest(experiment="e")
    with pytest.raises(FrozenInstanceError):
        request.seed = 1  # type: ignore[misc]
    with pytest.raises(TypeError, match="no_such"):
        run_experiment("e", no_such=1)
    assert request.reader_options == {}
    asked = RunRequest(experiment="e", name="mine", corpus_options={"encoding": "latin-1"})
    assert asked.reader_options == {"name": "mine", "encoding": "latin-1"}


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
