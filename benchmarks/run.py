"""What a whole run costs: ``ser run`` beside nkululeko and beside the bare cross-validation of the same pipeline.

Run with ``python benchmarks/run.py [--rounds N] [--folder F] [--json]``. The corpus is 535 clips of 2 s by 10
speakers with EMO-DB's counts, cut from real speech in ``SER_TEST_CORPORA``, else from the synthetic demo corpus. Each
contender runs once a round, cold (nothing measured, no store of runs) and then warm; medians over the rounds count.
``NKULULEKO_PYTHON`` names an interpreter that has nkululeko and opensmile; without it their part is left out.

Processor time is that of a command and of all processes it started. Ends with exit code 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from ser_experiments.audio import read_audio
from ser_experiments.corpora import load_corpus

REPOSITORY = Path(__file__).resolve().parent.parent
N_CLIPS, CLIP_S, RATE, N_SPEAKERS = 535, 2.0, 16_000, 10
#: Times as fast as nkululeko, and processor seconds of a warm run beside measuring and fitting.
LEAST_COLD, LEAST_WARM, MOST_BESIDE_S = 5.0, 7.0, 3.0
#: Clips by speaker of the Berlin Database of Emotional Speech (Burkhardt et al., 2005), which sum to 535.
CLIPS_OF_SPEAKERS = (49, 58, 43, 38, 55, 35, 61, 69, 56, 71)
#: What `BARE` does without us.
EXPERIMENT = "svm_lld"
_SER = "from ser_experiments.cli import main; main()"
#: Linux: a process whose parent ended becomes our child, so that what it spent is counted.
_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Cost:
    """Seconds of one command: by the clock, and of the processor with all processes it started."""

    wall_s: float
    cpu_s: float


def main() -> int:
    """Print the costs, the ratios and what a run costs beside measuring and fitting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="cold and warm runs of each (3)")
    parser.add_argument("--folder", type=Path, help="where corpus and projects are made and left (a temporary folder)")
    parser.add_argument("--jobs", type=int, help="processes of ser (one a core)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    asked = parser.parse_args()
    _adopt_orphans()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (asked.folder or Path(scratch)).resolve()
        manifest, origin = make_corpus(folder / "corpus")
        costs, scores = measure(folder, manifest, asked.jobs, asked.rounds)
    found = {name: Cost(*(statistics.median(each) for each in zip(*seen, strict=True))) for name, seen in costs.items()}
    ratios, missed = judge(found)
    if asked.json:
        said = {"corpus": origin, "rounds": asked.rounds, "seconds": {name: asdict(c) for name, c in found.items()}}
        print(json.dumps({**said, "uar": scores, "figures": ratios, "missed": missed}))
    else:
        report(found, ratios, scores, origin, asked.rounds)
    if missed:
        print(f"missed: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


# --- the corpus ------------------------------------------------------------------------------------------------------


def make_corpus(folder: Path) -> tuple[Path, str]:
    """Write the clips and their manifest once; return the manifest and where the speech comes from."""
    real = Path(os.environ.get("SER_TEST_CORPORA", "/nonexistent")) / "emodb4" / "metadata.csv"
    origin = "emodb4" if real.is_file() else "demo"
    target = folder / "metadata.csv"
    if target.is_file():
        return target, origin
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    source = (
        _recordings(real) if real.is_file() else load_corpus("demo").utterances.rename(columns={"label": "emotion"})
    )
    rows = []
    for speaker, n_clips in zip(sorted(source["speaker"].unique())[:N_SPEAKERS], CLIPS_OF_SPEAKERS, strict=True):
        own = source[source["speaker"] == speaker].reset_index(drop=True)
        for i in range(n_clips):
            row = own.loc[i % len(own)]
            name = f"audio/{speaker}_{i:03d}.wav"
            _write_clip(Path(row["path"]), i // len(own), folder / name)
            rows.append({"path": name, "speaker": speaker, "gender": row["gender"], "emotion": row["emotion"]})
    pd.DataFrame(rows).to_csv(target, index=False)
    return target, origin


def _recordings(manifest: Path) -> pd.DataFrame:
    table = pd.read_csv(manifest, dtype=str)
    return table.assign(path=[str(manifest.parent / path) for path in table["path"]])


def _write_clip(source: Path, turn: int, target: Path) -> None:
    """Write 2 s of a recording; where it is used again, from a later place on, so that no two clips are the same."""
    audio, _ = read_audio(source, sample_rate=RATE)
    audio = np.roll(audio, -turn * len(audio) // 3)
    soundfile.write(target, np.resize(audio, round(CLIP_S * RATE)), RATE, subtype="PCM_16")


# --- the contenders --------------------------------------------------------------------------------------------------


def measure(
    folder: Path, manifest: Path, jobs: int | None, rounds: int
) -> tuple[dict[str, list[tuple[float, float]]], dict[str, float]]:
    """Run the contenders in turns; return wall and processor seconds of each round, and what each scores."""
    costs: dict[str, list[tuple[float, float]]] = {}
    scores: dict[str, float] = {}
    peer = os.environ.get("NKULULEKO_PYTHON")
    _compile_kernels()
    for _ in range(rounds):
        project = _fresh(folder / "project")
        _ser_project(project)
        for state in ("cold", "warm"):
            cost, done = _run(_run_command(manifest, jobs), project)
            costs.setdefault(f"ser run, {state}", []).append(cost)
            scores["ser run"] = float(json.loads(done.stdout)["metrics"]["uar"])
        cost, _ = _run([*_run_command(manifest, jobs), "--no-pictures"], project)
        costs.setdefault("ser run, warm, no pictures", []).append(cost)
        cost, told = bare(project, manifest)
        costs.setdefault("bare cross-validation", []).append(cost)
        costs.setdefault("its fits alone", []).append((told["fit_wall_s"], told["fit_cpu_s"]))
        scores["bare cross-validation"] = told["uar"]
        if peer:
            nkululeko = _fresh(folder / "nkululeko")
            for state in ("cold", "warm"):
                cost, done = _run([peer, "-m", "nkululeko.nkululeko", "--config", _ini(nkululeko, manifest)], nkululeko)
                costs.setdefault(f"nkululeko, {state}", []).append(cost)
                scores["nkululeko"] = _its_score(done.stdout + done.stderr)
    return costs, scores


def _compile_kernels() -> None:
    """Let numba compile once what it keeps on disk: that is a cost of a machine and not of a run."""
    code = "import numpy as np; from ser_experiments.features.extractor import get_extractor as get; "
    noise = "np.random.default_rng(0).standard_normal(16000).astype('float32') / 10"
    subprocess.run([sys.executable, "-c", f"{code}get('lld')({noise}, 16000)"], check=True)


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _ser_project(project: Path) -> None:
    (project / "ser.toml").touch()
    shutil.copytree(REPOSITORY / "experiments", project / "experiments")


def _run_command(manifest: Path, jobs: int | None) -> list[str]:
    said = ["run", EXPERIMENT, "--corpus", "manifest", "--root", str(manifest), "--name", "clips", "--json"]
    return [sys.executable, "-c", _SER, *said, *([] if jobs is None else ["--jobs", str(jobs)])]


def _run(
    command: Sequence[str], project: Path, more: Mapping[str, str] | None = None
) -> tuple[tuple[float, float], subprocess.CompletedProcess[str]]:
    """Run a command in a project's folder; return what it cost and what it printed."""
    left = {"MLFLOW_TRACKING_URI", "DASK_SCHEDULER_ADDRESS"}
    own = {name: value for name, value in os.environ.items() if name not in left}
    settings = {**own, "SER_CACHE": str(project / "cache"), **(more or {})}
    before, began = _spent(), time.perf_counter()
    done = subprocess.run(command, cwd=project, env=settings, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    _wait_for_orphans()
    if done.returncode:
        sys.exit(f"{' '.join(command[:4])} ... failed:\n{done.stderr[-2000:]}")
    return (wall, _spent() - before), done


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait_for_orphans() -> None:
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


# --- the same pipeline without us -------------------------------------------------------------------------------------

BARE = """
import json, sys, time
import numpy as np, pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import recall_score
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

table, rows = pd.read_parquet(sys.argv[1]), pd.read_csv(sys.argv[2], dtype=str)
X = table.set_index(table.columns[0]) if table.index.name is None else table
X = X.select_dtypes("number")
y, speakers = rows["emotion"].to_numpy(), rows["speaker"].to_numpy()

def fit(part):
    svm = SVC(kernel="rbf", C=3.0, class_weight="balanced", cache_size=500, break_ties=True)
    inner = list(GroupKFold(3).split(part, groups=speakers[part]))
    scaled = make_pipeline(StandardScaler(), svm)
    return CalibratedClassifierCV(scaled, method="temperature", cv=inner, ensemble=False).fit(X.iloc[part], y[part])

wall, cpu = time.perf_counter(), time.process_time()
answers = y.copy()
for train, test in LeaveOneGroupOut().split(X, groups=speakers):
    fitted = fit(train)
    answers[test] = fitted.classes_[fitted.predict_proba(X.iloc[test]).argmax(axis=1)]
fit(np.arange(len(y)))
spent = {"fit_wall_s": time.perf_counter() - wall, "fit_cpu_s": time.process_time() - cpu}
print(json.dumps({**spent, "uar": recall_score(y, answers, average="macro")}))
"""


def bare(project: Path, manifest: Path) -> tuple[tuple[float, float], dict[str, float]]:
    """Cross-validate ``svm_lld`` on the table that the run measured, with scikit-learn alone and one thread.

    The model that is kept for use, fitted on all rows, is part of both.
    """
    table = project / "table.parquet"
    export = ["features", "export", "lld", str(table), "--corpus", "manifest", "--root", str(manifest)]
    _run([sys.executable, "-c", _SER, *export], project)
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    cost, done = _run([sys.executable, "-c", BARE, str(table), str(manifest)], project, one_thread)
    return cost, json.loads(done.stdout)


# --- nkululeko --------------------------------------------------------------------------------------------------------


def _ini(folder: Path, manifest: Path) -> str:
    """Write what nkululeko is to do: openSMILE's ComParE_2016, a scaled SVM, each speaker left out in turn."""
    rows = pd.read_csv(manifest, dtype=str)
    data = rows.assign(file=[str(manifest.parent / path) for path in rows["path"]]).drop(columns="path")
    data[["file", "speaker", "gender", "emotion"]].to_csv(folder / "clips.csv", index=False)
    sections: Mapping[str, Mapping[str, object]] = {
        "EXP": {"root": "./", "name": "results"},
        "DATA": {
            "databases": "['clips']",
            "clips": folder / "clips.csv",
            "clips.type": "csv",
            "clips.absolute_path": "True",
            "clips.split_strategy": "speaker_split",
            "clips.test_size": 20,
            "target": "emotion",
            "labels": sorted(rows["emotion"].unique()),
        },
        "FEATS": {"type": "['os']", "set": "ComParE_2016", "scale": "standard"},
        "MODEL": {"type": "svm", "kernel": "rbf", "C_val": 3.0, "class_weight": "True", "logo": N_SPEAKERS},
    }
    lines = [f"[{name}]\n" + "\n".join(f"{k} = {v}" for k, v in said.items()) for name, said in sections.items()]
    (folder / "clips.ini").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(folder / "clips.ini")


def _its_score(printed: str) -> float:
    """Read the mean over the folds from what nkululeko prints."""
    (line,) = [line for line in printed.splitlines() if "folds: mean" in line][-1:]
    return float(line.partition("mean ")[2].partition(",")[0])


# --- what is said -----------------------------------------------------------------------------------------------------


def judge(found: Mapping[str, Cost]) -> tuple[dict[str, float], list[str]]:
    """Return the figures that are held to goals, and those that miss them."""
    ours, fits = found["ser run, warm"], found["its fits alone"]
    figures = {"warm: processor seconds beside measuring and fitting": ours.cpu_s - fits.cpu_s}
    goals = [(next(iter(figures)), "at most", MOST_BESIDE_S)]
    for state, least in (("cold", LEAST_COLD), ("warm", LEAST_WARM)):
        if f"nkululeko, {state}" in found:
            its, own = found[f"nkululeko, {state}"], found[f"ser run, {state}"]
            for what, ratio in (("wall", its.wall_s / own.wall_s), ("processor", its.cpu_s / own.cpu_s)):
                figures[f"nkululeko / ser run, {state}, {what}"] = ratio
                goals.append((f"nkululeko / ser run, {state}, {what}", "at least", least))
    figures["ser run, warm / its fits alone, processor"] = ours.cpu_s / fits.cpu_s
    figures["ser run, warm / without pictures, processor"] = ours.cpu_s / found["ser run, warm, no pictures"].cpu_s
    missed = [
        f"{name}: {figures[name]:.1f}, {word} {goal:g}"
        for name, word, goal in goals
        if (figures[name] > goal if word == "at most" else figures[name] < goal)
    ]
    return figures, missed


def report(
    found: Mapping[str, Cost], figures: Mapping[str, float], scores: Mapping[str, float], origin: str, rounds: int
) -> None:
    """Print the table of costs, the ratios and the scores."""
    print(f"{N_CLIPS} clips of {CLIP_S:g} s ({origin}), {os.cpu_count()} cores, medians of {rounds} rounds\n")
    print(f"{'':52s}{'wall s':>8s}{'cpu s':>8s}")
    for name, cost in found.items():
        print(f"{name:52s}{cost.wall_s:8.1f}{cost.cpu_s:8.1f}")
    print()
    for name, value in figures.items():
        print(f"{name:60s}{value:8.1f}")
    print("\nUAR: " + ", ".join(f"{name} {score:.3f}" for name, score in scores.items()))
    if not any(name.startswith("nkululeko") for name in found):
        print("nkululeko was left out: NKULULEKO_PYTHON names no interpreter that has it")


if __name__ == "__main__":
    sys.exit(main())
