"""What `celery -A tests.benchmarks.celery_app worker` loads: Django first, then the task."""

import django

django.setup()

from tests.benchmarks.rivals import app  # noqa: E402

__all__ = ["app"]
