"""The web page in a real headless Chromium: a recording is uploaded and its emotion is shown."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from ser_experiments import load_model, run_experiment, timeline
from ser_experiments.cli import ser
from ser_experiments.errors import InputError
from tests.browser import browser, free_port, shoot, wait_for
from tests.command import PROGRAM
from tests.iemocap_tree import small_tree
from tests.served import encoded, model_of_dimensions, voice, wait_until_answered

__all__ = ["browser"]


@pytest.fixture
def recording(tmp_path: Path, project_folder: Path) -> Path:
    """Return a recording, after a run was made and its model registered."""
    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    run_experiment("svm_lld", corpus="iemocap", root=tree)
    assert CliRunner().invoke(ser, ["register"]).exit_code == 0
    return sorted(tree.rglob("sentences/wav/*/*.wav"))[0]


@pytest.fixture
def page(recording: Path) -> Iterator[str]:
    """Serve the page with `ser app`."""
    with serving_page() as url:
        yield url


@contextmanager
def serving_page(*options: str) -> Iterator[str]:
    port = free_port()
    command = [*PROGRAM, "app", "--no-open", *options]
    with open("app.log", "wb") as said:
        server = subprocess.Popen([*command, "--port", str(port)], stdout=said, stderr=said, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_answered(url, server, Path("app.log"))
        yield url
    finally:
        os.killpg(server.pid, 15)
        server.wait(60)


@pytest.mark.slow
def test_an_uploaded_recording_is_answered(page: str, recording: Path, browser: object, tmp_path: Path) -> None:
    driver = browser
    driver.get(page)  # type: ignore[attr-defined]
    wait_for(driver, "Emotion of speech", "svm_lld of iemocap-4class-leave-one-session-out", "Hear the emotion")
    (expected,) = load_model().predict([recording])
    upload(driver, recording)
    wait_for(driver, expected["label"], f"{100 * expected['probabilities'][expected['label']]:.0f}%", "from s")
    wait_for_picture(driver, "timeline")
    shoot(driver, "app")
    # It was deleted, and it is said what to do.
    driver.find_element("css selector", "#hear").click()  # type: ignore[attr-defined]
    wait_for(driver, "The recording was deleted when it was answered")


@pytest.mark.slow
def test_numbers_are_shown_in_their_plane(browser: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = model_of_dimensions(tmp_path / "model")
    (tmp_path / "short.wav").write_bytes(encoded(np.concatenate([voice(3.0, pitch=pitch) for pitch in (110, 240)])))
    pause = np.zeros(32_000, dtype=np.float32)
    (tmp_path / "long.wav").write_bytes(encoded(np.concatenate([voice(11.0), pause, voice(11.0, pitch=300.0)])))
    with serving_page("--model", str(tmp_path / "model")) as url:
        for name in ("short", "long"):
            browser.get(url)  # type: ignore[attr-defined]
            wait_for(browser, "Emotion of speech", "Hear the emotion")
            upload(browser, tmp_path / f"{name}.wav")
            if name == "short":
                (expected,) = model.predict([tmp_path / "short.wav"])
                body = wait_for(browser, *model.task.told(expected), "intervals that hold the truth", "from s")
            else:
                told = model.task.told(timeline(model, tmp_path / "long.wav").overall())
                body = wait_for(browser, *told, "the mean over the timeline", "from s")
                assert " to " not in body.partition("valence ")[2].partition("\n")[0]
            assert "predicted_" not in body
            wait_for_picture(browser, "emotion")
            wait_for_picture(browser, "timeline")
            shoot(browser, f"app_{name}")


def wait_for_picture(driver: object, name: str) -> None:
    picture = f"return [...document.querySelectorAll('#{name} img')].some(i => i.naturalWidth > 600 && i.complete)"
    until = time.monotonic() + 30
    while not driver.execute_script(picture):  # type: ignore[attr-defined]
        assert time.monotonic() < until, f"no picture of the {name} on the page"
        time.sleep(0.3)


@pytest.mark.slow
def test_a_bad_upload_is_told_in_words(page: str, browser: object, tmp_path: Path) -> None:
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(16_000), 16_000)
    browser.get(page)  # type: ignore[attr-defined]
    wait_for(browser, "Hear the emotion")
    upload(browser, silent)
    body = wait_for(browser, "The recording: silent recording")
    assert str(tmp_path) not in body
    assert "Traceback" not in body


def upload(driver: object, path: Path) -> None:
    """Hand a file to the page as a person does, and press the button when it is there."""
    player = "return document.querySelector('#speech input[type=file]') === null"
    until = time.monotonic() + 60
    while driver.execute_script(player):  # type: ignore[attr-defined]
        assert time.monotonic() < until, "nothing to upload with"
        time.sleep(0.2)
    chosen = driver.find_element("css selector", "#speech input[type=file]")  # type: ignore[attr-defined]
    chosen.send_keys(str(path))
    while not driver.execute_script(player):  # type: ignore[attr-defined]
        assert time.monotonic() < until, "the upload did not end"
        time.sleep(0.2)
    driver.find_element("css selector", "#hear").click()  # type: ignore[attr-defined]


def test_what_is_said_of_a_recording_of_which_nothing_can_be_said(tmp_path: Path) -> None:
    pytest.importorskip("gradio")
    from ser_experiments.cli._page import answer

    model = model_of_dimensions()
    assert answer(model, None)[0] is answer(model, str(tmp_path / "gone.wav"))[0] is None
    noise = 1e-3 * np.random.default_rng(0).standard_normal(25 * 16_000).astype(np.float32)
    noise[0] = 0.9
    soundfile.write(tmp_path / "noise.wav", noise, 16_000)
    shown, words, figure, table = answer(model, str(tmp_path / "noise.wav"))
    assert shown is None
    assert words.strip().startswith("25.0 s of audio.")
    assert figure is not None
    assert list(table) == ["from s", "to s", "speech", "valence", "arousal", "dominance"]
    assert table["valence"].isna().all()


@pytest.mark.slow
def test_without_gradio_it_says_what_to_install(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    failed = CliRunner().invoke(ser, ["app"])
    assert isinstance(failed.exception, InputError)
    assert "pip install 'ser_experiments[app]'" in str(failed.exception)
