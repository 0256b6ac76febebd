"""What serving costs: ``ser serve`` under load and under attack, beside MLflow's own server of a plain pipeline.

Run with ``python benchmarks/serve.py [--seconds S] [--clients N] [--folder F] [--json]``. The champion is ``svm_lld``
on the clips of ``run.py``; clients send clips of 3 s, one after the other. The limit is what MLflow's scoring server
does with scikit-learn's pipeline on the same table: it is sent the measured features, so it neither decodes nor
measures. The clients run on the same cores. Memory is that of the command with all processes that it started (what they
share counts once), looked at ten times a second.

Ends with exit code 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import io
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile
from run import EXPERIMENT, REPOSITORY, make_corpus

CLIP_S, RATE, N_CLIPS = 3.0, 16_000, 40
#: Seconds within which 99 of 100 are answered, requests a second, bytes whatever is sent.
MOST_P99_S, LEAST_RATE, MOST_MEMORY = 3.0, 25.0, 1.2 * 2**30
N_MIXED = 1000
_SER = "from ser_experiments.cli import main; main()"
_LOOK_S = 0.1


@dataclass
class Seen:
    """What clients saw of a server: seconds of each answer, statuses, and how many answers were right."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    valid: int = 0
    right: int = 0
    again: int = 0
    wall_s: float = 0.0
    memory: int = 0
    cpu_s: float = 0.0

    def figures(self) -> dict[str, float]:
        """Return what is printed."""
        p50, p99 = np.quantile(self.seconds, [0.5, 0.99]) if self.seconds else (np.nan, np.nan)
        rate = len(self.seconds) / self.wall_s
        cpu_ms = 1000 * self.cpu_s / max(1, sum(self.statuses.values()))
        return {"requests a second": rate, "p50 s": p50, "p99 s": p99, "most s": max(self.seconds, default=np.nan),
                "cpu ms each": cpu_ms, "memory MiB": self.memory / 2**20}  # fmt: skip


def main() -> int:
    """Print the figures, and those that miss their goals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each load lasts (20)")
    parser.add_argument("--clients", type=int, default=50, help="clients at a time (50)")
    parser.add_argument("--folder", type=Path, help="where corpus and project are made and left (a temporary folder)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (asked.folder or Path(scratch)).resolve()
        manifest, origin = make_corpus(folder / "corpus")
        champion(folder / "project", manifest)
        found = measure(folder / "project", manifest, asked.clients, asked.seconds)
    missed = judge(found)
    figures = {name: seen.figures() for name, seen in found.items()}
    mixed = asdict(found["mixed"])
    if asked.json:
        kept = {key: mixed[key] for key in ("statuses", "valid", "right", "again")}
        print(json.dumps({"corpus": origin, "figures": figures, "mixed": kept, "missed": missed}))
    else:
        report(figures, found["mixed"], origin, asked.clients)
    if missed:
        print(f"missed: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def measure(project: Path, manifest: Path, clients: int, seconds: float) -> dict[str, Seen]:
    """Load the servers one after the other."""
    clips = make_clips(manifest)
    expected = predicted(project, clips)
    valid = [body_of([clip]) for clip in clips]
    found = {}
    with served(project) as server:
        load(server, valid[:2], 2, 2.0)
        found["ser serve, 1 client"] = load(server, valid, 1, seconds / 2)
        found[f"ser serve, {clients} clients"] = load(server, valid, clients, seconds)
        found["mixed"] = attack(server, valid, expected, clients)
    with bare(project, manifest, clips) as (server, bodies):
        load(server, bodies[:2], 2, 2.0)
        found["MLflow, plain pipeline, 1 client"] = load(server, bodies, 1, seconds / 2)
        found[f"MLflow, plain pipeline, {clients} clients"] = load(server, bodies, clients, seconds)
    return found


# --- the champion and its clips ---------------------------------------------------------------------------------------


def champion(project: Path, manifest: Path) -> None:
    """Run the experiment on the clips once, and register it."""
    if (project / "registered").is_file():
        return
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(REPOSITORY / "experiments", project / "experiments")
    (project / "ser.toml").touch()
    for words in (
        ["run", EXPERIMENT, "--corpus", "manifest", "--root", str(manifest), "--name", "clips"],
        ["register", EXPERIMENT, "--allow-demo"],
    ):
        done = subprocess.run(
            ser(*words), cwd=project, env=environment(project), capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"ser {words[0]} failed:\n{done.stderr[-2000:]}")
    (project / "registered").touch()


def ser(*words: str) -> list[str]:
    """Return the command."""
    return [sys.executable, "-c", _SER, *words]


def environment(project: Path) -> dict[str, str]:
    """Return the environment of a project that has everything in its own folder."""
    own = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    return {**own, "SER_CACHE": str(project / "cache")}


def make_clips(manifest: Path) -> list[bytes]:
    """Return clips of 3 s, WAVs of different recordings."""
    clips = []
    for path in sorted((manifest.parent / "audio").iterdir())[:: 535 // N_CLIPS][:N_CLIPS]:
        audio, rate = soundfile.read(path, dtype="float32")
        clips.append(wav(np.resize(audio, round(CLIP_S * rate)), rate))
    return clips


def wav(audio: np.ndarray, rate: int, form: str = "WAV") -> bytes:
    """Return the bytes of a recording."""
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, rate, format=form, subtype="PCM_16")
    return buffer.getvalue()


def body_of(recordings: Sequence[bytes]) -> bytes:
    """Return a request."""
    rows = [[base64.b64encode(one).decode()] for one in recordings]
    return json.dumps({"dataframe_split": {"columns": ["audio"], "data": rows}}).encode()


def predicted(project: Path, clips: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return what the model says of the clips without a server."""
    (project / "clips").mkdir(exist_ok=True)
    for i, clip in enumerate(clips):
        (project / "clips" / f"{i:03d}.wav").write_bytes(clip)
    words = ser("predict", str(project / "clips"), "--json")
    done = subprocess.run(words, cwd=project, env=environment(project), capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


# --- servers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    port: int
    pid: int


@contextmanager
def started(command: Sequence[str], project: Path, port: int) -> Iterator[Server]:
    """Start a server, and end it with all that it started."""
    with open(project / "server.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=project, env=environment(project), stdout=log, stderr=log, start_new_session=True
        )
    try:
        until = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2).read()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    sys.exit(f"no server:\n{(project / 'server.log').read_text()[-2000:]}")
                time.sleep(0.2)
        yield Server(port, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@contextmanager
def served(project: Path) -> Iterator[Server]:
    """Serve the champion as a user does."""
    port = free_port()
    with started(ser("serve", "--port", str(port)), project, port) as server:
        yield server


@contextmanager
def bare(project: Path, manifest: Path, clips: Sequence[bytes]) -> Iterator[tuple[Server, list[bytes]]]:
    """Serve scikit-learn's pipeline of the same kind, fitted on the same table, as MLflow does; with its requests."""
    made = project / "plain"
    if not made.is_dir():
        words = [sys.executable, "-c", PLAIN, str(manifest), str(made), str(project / "clips")]
        subprocess.run(words, cwd=project, env=environment(project), check=True, capture_output=True)
    rows = json.loads((made / "rows.json").read_text())
    bodies = [json.dumps({"inputs": [row]}).encode() for row in rows]
    port = free_port()
    words = ["models", "serve", "-m", str(made / "model"), "--env-manager", "local", "--port", str(port)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    os.environ["PATH"] = path
    with started([sys.executable, "-m", "mlflow", *words], project, port) as server:
        yield server, bodies


PLAIN = """
import json, sys
from pathlib import Path
import mlflow, numpy as np, pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from ser_experiments import extract
from ser_experiments.audio import read_audio
manifest, made, clips = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
told = pd.read_csv(manifest, dtype=str)
row = lambda path: np.asarray(extract("lld", *read_audio(path)), dtype=float)
table = np.array([row(manifest.parent / path) for path in told["path"]])
pipeline = make_pipeline(StandardScaler(), CalibratedClassifierCV(SVC(C=3.0, class_weight="balanced"), cv=3))
pipeline.fit(table, told["emotion"])
mlflow.sklearn.save_model(pipeline, str(made / "model"), pyfunc_predict_fn="predict_proba",
                          serialization_format="cloudpickle")
(made / "rows.json").write_text(json.dumps([row(path).tolist() for path in sorted(clips.iterdir())]))
"""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


# --- clients ----------------------------------------------------------------------------------------------------------


def load(server: Server, bodies: Sequence[bytes], clients: int, seconds: float) -> Seen:
    """Let clients send requests one after the other for so long."""
    end = time.perf_counter() + seconds

    def client(number: int, seen: Seen) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        turn = number
        while time.perf_counter() < end:
            began = time.perf_counter()
            status, _, _ = post(connection, bodies[turn % len(bodies)])
            turn += 1
            seen.statuses[status] += 1
            if status == 200:
                seen.seconds.append(time.perf_counter() - began)

    return _watched(server, client, clients)


def attack(server: Server, valid: Sequence[bytes], expected: Sequence[Mapping[str, Any]], clients: int) -> Seen:
    """Send a thousand requests, half of them valid; whoever is told to come again comes again."""
    rng = random.Random(0)
    bad = list(bombs().values())
    todo = [("valid", i % len(valid)) for i in range(N_MIXED // 2)]
    todo += [("bad", i % len(bad)) for i in range(N_MIXED // 2)]
    rng.shuffle(todo)
    left, lock = iter(todo), threading.Lock()

    def client(number: int, seen: Seen) -> None:
        while True:
            with lock:
                kind, which = next(left, ("", 0))
            if not kind:
                return
            began = time.perf_counter()
            if kind == "bad":
                content, body = bad[which]
                seen.statuses[post(_connection(server), body, content)[0]] += 1
                continue
            status, headers, answer = post(_connection(server), valid[which])
            while status in (429, 503) and "retry-after" in headers:
                seen.again += 1
                time.sleep(float(headers["retry-after"]))
                status, headers, answer = post(_connection(server), valid[which])
            seen.statuses[status] += 1
            seen.valid += 1
            seen.seconds.append(time.perf_counter() - began)
            seen.right += status == 200 and _is_right(json.loads(answer)["predictions"][0], expected[which])

    return _watched(server, client, clients)


def _is_right(said: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    close = all(abs(said["probabilities"].get(k, 9) - v) < 1e-6 for k, v in expected["probabilities"].items())
    return bool(said["label"] == expected["label"] and close and not said["error"])


def bombs() -> dict[str, tuple[str, bytes]]:
    """Return what costs much or means nothing: by name, the type of each and its body."""
    silence = np.zeros(RATE * 299, np.int16)
    silence[:: RATE // 2] = 300
    hours = wav(silence, RATE, "FLAC")
    tiny = wav((0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32), RATE, "FLAC")
    head = (192_000 << 44) | (7 << 41) | (15 << 36) | (192_000 * 299)
    wide = tiny[:18] + head.to_bytes(8, "big") + tiny[26:]
    js = "application/json"
    return {
        "five minutes of near silence": (js, body_of([hours])),
        "the same six times": (js, body_of([hours] * 6)),
        "eight channels at 192 kHz": (js, body_of([wide])),
        "a large upload": (js, body_of([wav(np.random.default_rng(1).integers(-99, 99, RATE * 290, np.int16), RATE)])),
        "a body that is too large": (js, b" " * (40 * 2**20)),
        "millions of lists": (js, b'{"instances": [' + b"[]," * 8_000_000 + b"0]}"),
        "a deep one": (js, b"[" * 1_000_000),
        "Parquet": ("application/vnd.apache.parquet", b"PAR1" + bytes(460)),
        "null, numbers and nonsense": (js, b'{"instances": [null, 5, "abc", {}, [], "///"]}'),
        "no JSON": (js, os.urandom(100_000)),
        "many rows": (js, body_of([tiny[:2000]] * 250)),
    }


def _watched(server: Server, client: Callable[[int, Seen], None], clients: int) -> Seen:
    """Let clients work while the server's memory is looked at; return what they saw together."""
    parts, done = [Seen() for _ in range(clients)], threading.Event()
    most = [0]

    def look() -> None:
        while not done.wait(_LOOK_S):
            most[0] = max(most[0], memory_of(server.pid))

    looking = threading.Thread(target=look)
    looking.start()
    spent = cpu_of(server.pid)
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        for future in [pool.submit(client, i, part) for i, part in enumerate(parts)]:
            future.result()
    wall = time.perf_counter() - began
    done.set()
    looking.join()
    seen = Seen(wall_s=wall, memory=most[0], cpu_s=cpu_of(server.pid) - spent)
    for part in parts:
        seen.seconds += part.seconds
        seen.statuses += part.statuses
        seen.valid, seen.right, seen.again = seen.valid + part.valid, seen.right + part.right, seen.again + part.again
    return seen


def memory_of(pid: int) -> int:
    """Return the bytes that a process takes with all that it started."""
    return int(_over_tree(pid, lambda one: one.memory_full_info().pss))


def cpu_of(pid: int) -> float:
    """Return the seconds of the processor that a process has taken with all that it started and that is still there."""
    return _over_tree(pid, lambda one: sum(one.cpu_times()[:2]))


def _over_tree(pid: int, of: Callable[[psutil.Process], float]) -> float:
    total = 0.0
    with suppress(psutil.Error):
        first = psutil.Process(pid)
        for one in [first, *first.children(recursive=True)]:
            # It may have ended meanwhile.
            with suppress(psutil.Error):
                total += of(one)
    return total


def _connection(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)


def post(
    connection: http.client.HTTPConnection, body: bytes, content: str = "application/json"
) -> tuple[int, dict[str, str], bytes]:
    """Send a request; a connection that broke has the status 0."""
    try:
        connection.request("POST", "/invocations", body, {"Content-Type": content})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0, {}, b""


# --- what is said -----------------------------------------------------------------------------------------------------


def judge(found: Mapping[str, Seen]) -> list[str]:
    """Return the goals that were missed."""
    (loaded,) = [seen for name, seen in found.items() if name.startswith("ser serve") and name.endswith("clients")]
    figures, mixed = loaded.figures(), found["mixed"]
    most = max(loaded.memory, mixed.memory)
    goals = [
        (figures["p99 s"] < MOST_P99_S, f"p99 {figures['p99 s']:.2f} s, goal {MOST_P99_S:g}"),
        (figures["requests a second"] >= LEAST_RATE, f"{figures['requests a second']:.1f} a second, {LEAST_RATE:g}"),
        (most < MOST_MEMORY, f"{most / 2**20:.0f} MiB, at most {MOST_MEMORY / 2**20:.0f}"),
        (mixed.right == mixed.valid, f"{mixed.right} of {mixed.valid} valid requests right"),
        (not mixed.statuses[504] and not mixed.statuses[0], f"statuses {dict(mixed.statuses)}"),
    ]
    return [said for is_met, said in goals if not is_met]


def report(figures: Mapping[str, Mapping[str, float]], mixed: Seen, origin: str, clients: int) -> None:
    """Print the table."""
    print(f"clips of {CLIP_S:g} s ({origin}), {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(f"{'':44s}" + "".join(f"{name:>19s}" for name in next(iter(figures.values()))))
    for name, row in figures.items():
        print(f"{name:44s}" + "".join(f"{value:19.3g}" for value in row.values()))
    statuses = ", ".join(f"{n} with {status}" for status, n in sorted(mixed.statuses.items()))
    print(f"\nmixed: {N_MIXED} requests by {clients} clients: {statuses}")
    print(f"{mixed.right} of {mixed.valid} valid ones right, {mixed.again} times one was sent again")


if __name__ == "__main__":
    sys.exit(main())
