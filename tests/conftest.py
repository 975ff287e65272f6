"""Fixtures every test may use."""

import contextlib
import importlib.util
import os
import re
import shutil
from pathlib import Path

import pytest

# Chromium asks nobody anything, and runs for root as well.
BROWSER = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def resource():
    """Load a script of resources/ as a module, by its name."""

    def load(name: str):
        spec = importlib.util.spec_from_file_location(name, PROJECT / "resources" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real clips (TALKFACE_DATA, or ../shared/data); absent: skipped, but an error in CI."""
    folder = Path(os.environ.get("TALKFACE_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder}: no real clips, and CI requires them")
        pytest.skip(f"{folder}: no real clips here (set TALKFACE_DATA)")
    return folder


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium, driven by Playwright; absent: skipped, but an error in CI, which installs it (.ci/run)."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium on the PATH, and CI requires one (see .ci/run)")
        pytest.skip("no Chromium here: the pages are not opened (install Debian's package chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=BROWSER)
        yield browser
        browser.close()


@contextlib.contextmanager
def watched_pages(chromium, *, allowed=()):
    """Open pages of files as a desktop or a telephone does; at the end, what their consoles said against them fails.

    Texts that one of the patterns `allowed` matches as a whole are let pass.
    """
    opened, faults = [], []

    def note(text):
        if not any(re.fullmatch(known, text, re.DOTALL) for known in allowed):
            faults.append(text)

    def open_file(path: Path, *, width: int = 1280, height: int = 900, dark: bool = False):
        page = chromium.new_page(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light")
        page.on("console", lambda message: message.type in ("error", "warning") and note(message.text))
        page.on("pageerror", lambda error: note(str(error)))
        page.on("requestfailed", lambda request: note(f"{request.url[:200]}: {request.failure}"))
        page.goto(Path(path).resolve().as_uri())
        opened.append(page)
        return page

    yield open_file
    for page in opened:
        page.close()
    assert not faults, faults


@pytest.fixture
def open_page(chromium):
    """Open a page of a file; see `watched_pages`."""
    with watched_pages(chromium) as open_file:
        yield open_file
