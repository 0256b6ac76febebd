"""What is offered in Python: every name has a type that checkers see, and an example that runs."""

from __future__ import annotations

import doctest
import inspect
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import ser_experiments
from ser_experiments import project, run_experiment
from ser_experiments.experiment.record import describe
from ser_experiments.features.quality import qualities
from ser_experiments.serving import save_model
from ser_experiments.tracking import connect

ROOT = Path(__file__).parents[1]
PUBLIC = {name: getattr(ser_experiments, name) for name in ser_experiments.__all__}
#: What users call of what the functions return.
METHODS = {
    "AudioModel": ("predict", "stream", "timeline", "inspect"),
    "Result": ("plot", "pictures"),
    "Timeline": ("plot",),
}
SHOWN = {name: one for name, one in PUBLIC.items() if inspect.isfunction(one)} | {
    f"{owner}.{name}": getattr(PUBLIC[owner], name) for owner, names in METHODS.items() for name in names
}


def sound(path: Path, pitch_hz: float, seed: int, seconds: float) -> None:
    """Write a tone with harmonics and noise, no two alike."""
    rate, rng = 16_000, np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * pitch_hz * k * time + k) / k for k in range(1, 8))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, (0.1 * tone + 0.01 * rng.standard_normal(len(time))).astype(np.float32), rate)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small project: twelve recordings of three speakers, a model of them, and two recordings more."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "ser.toml").touch()
    (folder / "experiments").mkdir()
    for name in ("dummy", "svm_lld", "logreg_lld"):
        shutil.copy(ROOT / "experiments" / f"{name}.toml", folder / "experiments")
    lines = ["path,label,speaker"]
    for place, speaker in enumerate(("ann", "bob", "eve")):
        for i in range(4):
            sound(folder / f"recordings/{speaker}/{i}.wav", (320, 140)[i % 2] + 7 * place + i, 10 * place + i, 0.5)
            lines.append(f"{speaker}/{i}.wav,{('angry', 'sad')[i % 2]},{speaker}")
    (folder / "recordings" / "metadata.csv").write_text("\n".join(lines) + "\n")
    sound(folder / "call.wav", 330, 98, 1.0)
    sound(folder / "other.wav", 145, 99, 1.0)
    before = Path.cwd()
    os.chdir(folder)
    try:
        result = run_experiment(
            "logreg_lld", corpus="recordings/metadata.csv", overrides={"model.C": 1.0}, log_run=False, jobs=1
        )
        fitted = result.prepared.rows.fitted(result.prepared.estimator)
        heard = qualities(result.prepared.utterances, cache=folder / "cache")
        model = describe(result, fitted, {}, qualities=heard).model
        assert model is not None
        save_model(model, folder / "models" / "calls")
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def world(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return that project, as the current folder."""
    for name in [name for name in os.environ if name.startswith("SER_") or name == "MLFLOW_TRACKING_URI"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SER_TRACKER", "json")
    monkeypatch.chdir(made)
    connect(project.find())
    return made


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_every_public_function_has_an_example_that_runs(name: str, world: Path) -> None:
    found = SHOWN[name].__doc__
    test = doctest.DocTestParser().get_doctest(found or "", {}, name, None, None)
    assert test.examples, f"{name} has no example; write one under Examples"
    said: list[str] = []
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append).failed
    assert not failed, "".join(said)


#: A use of every name, with the type that checkers are to see.
RIGHT = {
    "load_corpus('demo')": "Corpus",
    "load_corpus(Path('recordings'), labels='4class', map={'joy': 'happy'})": "Corpus",
    "load_corpus(pd.DataFrame())": "Corpus",
    "load_experiment('svm_lld')": "Experiment",
    "build_estimator('svm_lld', seed=1)": "Any",
    "run_experiment('svm_lld', corpus=load_corpus('demo'), log_run=False)": "Result",
    "run_experiment('svm_lld').metrics": "dict[str, float]",
    "run_experiment('svm_lld').plot('confusion')": "Figure",
    "compare_results(run_experiment('a'), run_experiment('b'), metric='wa')": "Comparison",
    "feature_table('lld', load_corpus('demo'))": "DataFrame",
    "feature_table(['lld'], [Path('a.wav')], jobs=1)": "DataFrame",
    "extract('lld', 'a.wav')": "Any",
    "load_model()": "AudioModel",
    "load_model('a').predict('a.wav')": "list[dict[str, Any]]",
    "load_model('a').predict(np.zeros(3), sample_rate=16000)": "list[dict[str, Any]]",
    "load_model('a').stream([Path('a.wav'), b''])": "Iterator[dict[str, Any]]",
    "timeline(load_model('a'), 'a.wav')": "Timeline",
    "AudioError('a', 'b')": "AudioError",
    **{f"{name}('a')": name for name in ("InputError", "LeakError", "SerError", "StoreError")},
}
WRONG = (
    "load_corpus(3)",
    "load_corpus('demo', lables='4class')",
    "load_experiment(1.5)",
    "build_estimator('svm_lld', seed='one')",
    "run_experiment(7)",
    "run_experiment('svm_lld').metric",
    "compare_results('svm_lld')",
    "feature_table(3, 'a.wav')",
    "extract('lld')",
    "load_model(7)",
    "load_model('a').predict(3)",
    "load_model('a').predict('a.wav', sample_rate='high')",
    "timeline('svm_lld', 'a.wav')",
    "ser_experiments.load_corpora",
)


@pytest.mark.slow
def test_type_checkers_see_the_signatures_and_report_wrong_uses(tmp_path: Path) -> None:
    head = ["from pathlib import Path", "import numpy as np", "import pandas as pd", "import ser_experiments"]
    head += [f"from ser_experiments import {name}" for name in ser_experiments.__all__]
    uses = [f"reveal_type({use})" for use in RIGHT] + list(WRONG)
    (tmp_path / "uses.py").write_text("\n".join([*head, *uses]) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(tmp_path / "uses.py")],
        cwd=ROOT, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told: dict[int, str] = {}
    for line in done.stdout.splitlines():
        where, _, said = line.partition(": ")
        if "uses.py:" in where:
            number = int(where.rsplit(":", 1)[1])
            told[number] = told.get(number, "") + said
    first = len(head) + 1
    for number, (use, type_) in enumerate(RIGHT.items(), first):
        assert "error: " not in told[number], f"{use}: {told[number]}"
        found = told[number].split('"')[1].replace("builtins.", "").replace("typing.", "")
        assert found.split(".")[-1] == type_ or type_ in found.replace("collections.abc.", ""), (use, found)
    silent = [use for number, use in enumerate(WRONG, first + len(RIGHT)) if "error: " not in told.get(number, "")]
    # What else the corpus's reader takes is open to a checker, and refused when it is run.
    assert silent == ["load_corpus('demo', lables='4class')"], done.stdout
