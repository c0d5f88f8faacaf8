import pytest

from notifications.sandbox import faults


@pytest.fixture(autouse=True)
def sandbox_directory(settings, tmp_path):
    """A sandbox of its own for each test."""
    settings.AEGIS_SANDBOX_DIR = tmp_path / "sandbox"
    faults.ask(503, 0)
    return settings.AEGIS_SANDBOX_DIR
