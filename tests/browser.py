"""A real headless Chromium for tests of pages."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DRIVER, BROWSER = shutil.which("chromedriver"), shutil.which("chromium")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


#: With a microphone that a file speaks into, and nobody to ask for leave.
HEARS = ("use-fake-ui-for-media-stream", "use-fake-device-for-media-stream")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[object]:
    with chromium(tmp_path) as driver:
        yield driver


@contextmanager
def chromium(tmp_path: Path, *flags: str) -> Iterator[object]:
    webdriver = pytest.importorskip("selenium.webdriver")
    if not DRIVER or not BROWSER:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "window-size=1800,1000",
                 "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage",
                 f"user-data-dir={tmp_path / 'chromium'}", *flags):  # fmt: skip
        options.add_argument(f"--{flag}")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def wait_for(browser: object, *texts: str, seconds: float = 60) -> str:
    """Wait until all texts stand on the page, and return the page's text."""
    body = ""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        body = browser.execute_script("return document.body.innerText")  # type: ignore[attr-defined]
        if all(text in body for text in texts):
            return body
        time.sleep(0.5)
    shot = os.environ.get("TEST_SCREENSHOTS")
    if shot:
        browser.save_screenshot(f"{shot}/failed.png")  # type: ignore[attr-defined]
    pytest.fail(f"{texts} not all on the page: {body[:2000]}")


def shoot(browser: object, name: str) -> None:
    folder = os.environ.get("TEST_SCREENSHOTS")
    if folder:
        browser.save_screenshot(f"{folder}/{name}.png")  # type: ignore[attr-defined]
