import pytest
from django.core.cache import cache

from tests.notifications.api.callers import with_token


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def api(workspace):
    """A token of the workspace with all scopes."""
    return with_token(workspace)
