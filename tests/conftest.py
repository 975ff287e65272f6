"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real clips (TALKFACE_DATA, or ../shared/data); absent: skipped, but an error in CI."""
    folder = Path(os.environ.get("TALKFACE_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder}: no real clips, and CI requires them")
        pytest.skip(f"{folder}: no real clips here (set TALKFACE_DATA)")
    return folder
