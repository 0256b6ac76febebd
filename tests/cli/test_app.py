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
from tests.browser import HEARS, browser, chromium, free_port, shoot, wait_for
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
    share = f"{100 * expected['probabilities'][expected['label']]:.0f}%"
    body = wait_for(driver, expected["label"].capitalize(), share, "From (s)")
    assert expected["label"] not in body.replace("svm_lld of iemocap", "")
    wait_for_picture(driver, "timeline")
    assert "the most probable emotion over time: 0 to" in described_picture(driver)
    shoot(driver, "app")
    for is_dark in (False, True):
        on_a_phone(driver, is_dark)
        shown = "return [...document.querySelectorAll('#timeline img')].filter(i => i.offsetWidth > 0)"
        (seen,) = driver.execute_script(f"{shown}.map(i => i.className)")  # type: ignore[attr-defined]
        assert seen == ("ser-dark" if is_dark else "ser-light")
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 390  # type: ignore[attr-defined]
        shoot(driver, f"app_phone{'_dark' if is_dark else ''}")
    # It was deleted, and it is said what to do.
    driver.find_element("css selector", "#hear").click()  # type: ignore[attr-defined]
    body = wait_for(driver, "The recording was deleted when it was answered")
    assert share not in body
    assert "From (s)" not in body
    assert not driver.execute_script("return document.querySelectorAll('#timeline img').length")  # type: ignore[attr-defined]


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
                body = wait_for(browser, *model.task.told(expected), "intervals that hold the truth", "From (s)")
            else:
                told = model.task.told(timeline(model, tmp_path / "long.wav").overall())
                body = wait_for(browser, *told, "the mean over the timeline", "From (s)")
                assert " to " not in body.partition("valence ")[2].partition("\n")[0]
            assert "predicted_" not in body
            wait_for_picture(browser, "emotion")
            wait_for_picture(browser, "timeline")
            shoot(browser, f"app_{name}")


def wait_for_picture(driver: object, name: str) -> None:
    picture = f"return [...document.querySelectorAll('#{name} img')].some(i => i.naturalWidth > 500 && i.complete)"
    until = time.monotonic() + 30
    while not driver.execute_script(picture):  # type: ignore[attr-defined]
        assert time.monotonic() < until, f"no picture of the {name} on the page"
        time.sleep(0.3)


def described_picture(driver: object) -> str:
    """Return what is said of the picture that is seen."""
    told = "return [...document.querySelectorAll('#timeline img')].find(i => i.offsetWidth > 0).alt"
    return str(driver.execute_script(told))  # type: ignore[attr-defined]


def on_a_phone(driver: object, is_dark: bool) -> None:
    screen = {"width": 390, "height": 1600, "deviceScaleFactor": 2, "mobile": True}
    looks = [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)  # type: ignore[attr-defined]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": looks})  # type: ignore[attr-defined]
    time.sleep(1)


@pytest.mark.slow
def test_a_microphone_is_heard(page: str, recording: Path, tmp_path: Path) -> None:
    with chromium(tmp_path, *HEARS, f"use-file-for-fake-audio-capture={recording}") as driver:
        driver.get(page)  # type: ignore[attr-defined]
        wait_for(driver, "Hear the emotion")
        press(driver, "#speech button[aria-label='Record audio']")
        press(driver, "#speech button.record-button")
        time.sleep(3)
        press(driver, "#speech button.stop-button")
        time.sleep(2)
        press(driver, "#hear")
        wait_for(driver, "s of audio", "Emotion over time", "From (s)")
        press(driver, "button[role=tab]:nth-of-type(2)")
        driver.switch_to.frame(driver.find_element("css selector", "#live"))  # type: ignore[attr-defined]
        press(driver, "#start")
        wait_for(driver, "s of sound. It is known", "0:01")
        shoot(driver, "app_live")


def press(driver: object, what: str) -> None:
    """Press the first of some buttons that is seen."""
    until = time.monotonic() + 30
    while True:
        seen = [one for one in driver.find_elements("css selector", what) if one.is_displayed()]  # type: ignore[attr-defined]
        if seen:
            return seen[0].click()
        assert time.monotonic() < until, f"no {what}"
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
    assert answer(model, None)[::2] == answer(model, str(tmp_path / "gone.wav"))[::2] == ("", "")
    noise = 1e-3 * np.random.default_rng(0).standard_normal(25 * 16_000).astype(np.float32)
    noise[0] = 0.9
    soundfile.write(tmp_path / "noise.wav", noise, 16_000)
    shown, words, figure, table = answer(model, str(tmp_path / "noise.wav"))
    assert shown == ""
    assert words.strip().startswith("25.0 s of audio.")
    assert 'alt="25.0 s of sound, as waveform and spectrogram; nobody speaks in it."' in figure
    assert list(table) == ["From (s)", "To (s)", "Speech", "Valence", "Arousal", "Dominance"]
    assert table["Valence"].isna().all()


@pytest.mark.slow
def test_without_gradio_it_says_what_to_install(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    failed = CliRunner().invoke(ser, ["app"])
    assert isinstance(failed.exception, InputError)
    assert "pip install 'ser_experiments[app]'" in str(failed.exception)
