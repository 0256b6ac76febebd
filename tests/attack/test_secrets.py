"""Passwords and tokens of addresses are never said, kept or logged, and a file that is no table is not quoted."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from ser_experiments import project as projects
from ser_experiments import secret
from ser_experiments.cli import ser
from ser_experiments.cli._say import Said, say
from ser_experiments.cli._unforeseen import said_of
from ser_experiments.corpora import load_corpus
from ser_experiments.csvfile import read_csv
from ser_experiments.errors import InputError, StoreError
from ser_experiments.evaluation.predictions import read_predictions
from ser_experiments.features.external import read_table, write_table
from ser_experiments.features.storage import file_name
from ser_experiments.secret import MASK, hidden, know
from ser_experiments.tracking import run as runs
from ser_experiments.tracking.backends.mlflow import Mlflow
from ser_experiments.tracking.sync import deliver_abandoned

PASSWORD = "hunter2hunter2"
#: Addresses with a secret in them, and what of them may be said.
ADDRESSES = {
    f"http://anna:{PASSWORD}@host:5000/x": f"http://anna:{MASK}@host:5000/x",
    f"postgresql://anna:{PASSWORD}@db/mlflow": f"postgresql://anna:{MASK}@db/mlflow",
    f"postgresql+psycopg2://anna:p@ss/{PASSWORD}@db/mlflow": f"postgresql+psycopg2://anna:{MASK}@db/mlflow",
    f"https://{PASSWORD}@host/t.csv": f"https://{MASK}@host/t.csv",
    f"https://host/t.csv?X-Amz-Signature={PASSWORD}&a=1": f"https://host/t.csv?X-Amz-Signature={MASK}&a={MASK}",
    f"https://host/t.csv?{PASSWORD}": f"https://host/t.csv?{MASK}",
    f"https://host/t.csv#access_token={PASSWORD}": f"https://host/t.csv#access_token={MASK}",
    f"mysql://anna:{PASSWORD}@db/x?ssl=1": f"mysql://anna:{MASK}@db/x?ssl={MASK}",
    f"https:/anna:{PASSWORD}@host/x": f"https:/anna:{MASK}@host/x",  # a path object made it of the first
    f"s3://{PASSWORD}:{PASSWORD}@bucket/t.parquet": f"s3://{MASK}:{MASK}@bucket/t.parquet",
}
#: What holds none and is said as it is.
PLAIN = [
    "models:/ser-demo@champion", "runs:/abc/model", "sqlite:////home/a@b/mlruns/mlflow.db", "file:///home/a@b/x",
    "http://host:5000", "mlflow-artifacts:/1/abc", "s3://bucket/table.parquet", "mail anna@example.com", "a: b@c",
    "C:\\Users\\a@b", "https://host/what", "see https://host/what?",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_KNOWN", set())


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_told_without_its_secret(address: str) -> None:
    if not address.startswith("s3"):
        assert hidden(address) == ADDRESSES[address]
    for text in (f"error: {address}: no", f"'{address}'", f'{{"uri": "{address}"}}', f"a\n{address}\nb"):
        assert PASSWORD not in hidden(text) or address.startswith("s3")
    know(address)
    assert PASSWORD not in hidden(f'could not translate host name "{PASSWORD}@db" to address')


@pytest.mark.parametrize("text", PLAIN)
def test_what_holds_no_secret_is_told_as_it_is(text: str) -> None:
    assert hidden(text) == text


def test_what_the_environment_holds_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://anna:{PASSWORD}@host")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tokentokentoken")
    monkeypatch.setenv("HF_TOKEN", "hf_0123456789")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "falsefalse")
    said = hidden(f"{PASSWORD} tokentokentoken hf_0123456789 falsefalse")
    assert said == f"{MASK} {MASK} {MASK} falsefalse"


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_said_and_logged_and_kept_of_an_error(
    address: str, capsys: pytest.CaptureFixture[str], project_folder: Path
) -> None:
    know(address)
    say(f"no {address}")
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "no %s", (address,), None)
    try:
        raise RuntimeError(f"{address} went away")
    except RuntimeError as error:
        told = said_of(error)
    kept = "".join(path.read_text() for path in (project_folder / "cache" / "errors").glob("*.log"))
    assert kept
    for said in (capsys.readouterr().out, Said("%(message)s").format(record), told, kept):
        assert PASSWORD not in said


# --- tables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [a for a in ADDRESSES if a.startswith(("http://", "https://"))])
def test_a_table_that_is_not_there_is_told_without_secrets(address: str) -> None:
    nowhere = address.replace("host:5000", "127.0.0.1:9").replace("host", "127.0.0.1:9")
    for act in (lambda: read_table(nowhere, UTTERANCES), lambda: write_table(TABLE, nowhere.replace("/x", "/x.csv"))):
        with pytest.raises(InputError) as told:
            act()
        assert PASSWORD not in str(told.value)
        assert str(told.value).startswith("table http")


def test_the_name_of_a_table_is_without_its_token() -> None:
    assert file_name(f"https://anna:{PASSWORD}@host/a/t.parquet?sig={PASSWORD}#x") == "t.parquet"
    assert file_name("/data/odd?name#1.csv") == "odd?name#1.csv"


UTTERANCES = pd.DataFrame(
    {"path": ["/a.wav", "/b.wav"], "start_s": np.nan, "end_s": np.nan, "speaker": ["s", "t"]},
    index=pd.Index(["a", "b"], name="utterance_id"),
)
TABLE = pd.DataFrame({"x": [1.0, 2.0]}, index=UTTERANCES.index)
#: Files that are no tables, with what of them must not be told.
WRONG = {
    "passwd": "root:hunter2hunter2:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/bin/sh\n",
    "passwords.csv": "name,url,username,password\nbank,https://bank,anna,hunter2hunter2\n",
    "netrc": "machine host login anna password hunter2hunter2\n",
    "env": "A=1,B=hunter2hunter2,B=hunter2hunter2\n",
    "twice": "hunter2hunter2,hunter2hunter2\n1,2\n",
    "ids": "id,x\nhunter2hunter2,1\nhunter2hunter2x,2\n",
    "key": "-----BEGIN KEY-----\nhunter2hunter2,\n-----END KEY-----\n",
    "wide": "name,x\na,1\nb,hunter2hunter2,3,4\n",
    "times": "file,start,end,x\na,hunter2hunter2,1,2\n",
    "tabs": "\tpassword: hunter2hunter2\n\tx: 1\n",
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_table_is_not_quoted(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(WRONG[name])
    segments = UTTERANCES.assign(start_s=0.0, end_s=1.0)
    for utterances in (UTTERANCES, segments):
        with pytest.raises(InputError) as told:
            read_table(path, utterances)
        if name != "tabs":  # a column without a name is what pandas writes before ids, and its table is told of
            assert PASSWORD not in str(told.value)


@pytest.mark.parametrize("name", ["passwd", "netrc", "env", "key", "passwords.csv"])
def test_what_is_no_list_is_not_quoted(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_text(WRONG[name])
    for read in (lambda: load_corpus("manifest", path), lambda: read_predictions(path)):
        with pytest.raises(InputError) as told:
            read()
        assert PASSWORD not in str(told.value)
    listed = CliRunner().invoke(ser, ["predict", str(path), "--model", str(tmp_path)])
    assert PASSWORD not in f"{listed.exception}{listed.output}"


def test_the_environment_is_not_quoted(project_folder: Path, tmp_path: Path) -> None:
    """`--table /proc/self/environ` showed every variable in its message."""
    environment = {**os.environ, "A_FIRST": PASSWORD, "PYTHONPATH": os.pathsep.join(sys.path)}
    code = (
        "import pandas as pd; from ser_experiments.features.external import read_table; "
        "u = pd.DataFrame({'path': ['a'], 'start_s': [0.0], 'end_s': [1.0], 'speaker': ['s']}, "
        "index=pd.Index(['a'], name='utterance_id'))\n"
        "try: read_table('/proc/self/environ', u)\nexcept Exception as error: print(type(error).__name__, error)"
    )
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.startswith("InputError table /proc/self/environ: ")
    assert PASSWORD not in told.stdout
    assert "PATH=" not in told.stdout


# --- stores ------------------------------------------------------------------------------------------------------


def test_a_store_that_does_not_answer_is_told_without_its_password(
    project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for uri in (f"http://anna:{PASSWORD}@127.0.0.1:9", f"file://anna:{PASSWORD}@host/x", f"/x/{PASSWORD}"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        done = CliRunner().invoke(ser, ["compare"])
        assert isinstance(done.exception, InputError | StoreError)
        if uri.startswith("http"):
            assert PASSWORD not in str(done.exception)
    store = Mlflow(projects.find(), f"postgresql://anna:{PASSWORD}@db/x")
    assert PASSWORD not in " ".join(store.ui("127.0.0.1", 1).arguments)  # what `ps` shows to everybody
    store = Mlflow(projects.find(), f"https://anna:{PASSWORD}@host")
    assert PASSWORD not in store.ui("127.0.0.1", 1)


class _Store:
    """Takes everything, at an address with a password."""

    uri = f"https://anna:{PASSWORD}@host/mlflow"

    def setting_id(self, setting: str, rows: str) -> str:
        return "1"

    def create_run(self, setting_id: str, name: str, tags: dict[str, str]) -> str:
        return "r"

    def watched(self, run_id: str) -> object:
        from contextlib import nullcontext

        return nullcontext()

    def perform(self, step: object, run_id: str) -> None:
        from ser_experiments.tracking.backend import StoreAway

        raise StoreAway("gone")

    def status(self, run_id: str) -> str:
        return "RUNNING"


def test_an_outbox_keeps_no_password_and_is_delivered_to_its_store(
    project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "connect", lambda project: _Store())
    here, facts = projects.find(), {"setting": "s", "rows": "r", "tags": {}, "note": ""}

    def broken() -> None:
        with runs.start(here, name="x", **facts) as run:
            run._do("tags", {"a": "b"})
            raise RuntimeError(f"{_Store.uri} went away")

    with pytest.raises(RuntimeError):
        broken()
    kept = "".join(path.read_text() for path in (here.mlruns / "outbox").rglob("*.json"))
    assert PASSWORD not in kept
    assert MASK in kept
    # Of an older version, with the password in it: it is the same store all the same, and another password too.
    (about,) = (here.mlruns / "outbox").glob("*/run.json")
    kept = json.loads(about.read_text())
    told = {key: kept[key] for key in ("uri", "name", "experiment_id", "run_id")}
    about.write_text(json.dumps({**told, "uri": _Store.uri.replace(PASSWORD, "old-password")}))
    store = _Store()
    monkeypatch.setattr(store, "perform", lambda step, run_id: None, raising=False)
    (done,) = deliver_abandoned(here, store)  # type: ignore[arg-type]
    assert done.name == "x"
    assert not list((here.mlruns / "outbox").glob("*/run.json"))


def test_a_list_of_plain_names_still_says_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("file,label,speaker\na.wav,sad,1\n")
    with pytest.raises(InputError, match="no column 'path'; got file, label, speaker"):
        load_corpus("manifest", path)
    path.write_text("path,path\na,b\n")
    with pytest.raises(InputError, match="column 'path' occurs twice"):
        read_csv(path)
