"""The project's settings, with the endpoints that the comparisons need."""

import os

from aegisnotify.settings import *  # noqa: F403
from aegisnotify.settings import REDIS_URL

ROOT_URLCONF = "tests.benchmarks.urls"

if os.environ.get("AEGIS_BENCH_PLAIN_CLUSTER"):
    # django-q2 as it comes out of the box.
    Q_CLUSTER = {"name": "plain", "timeout": 60, "retry": 120, "redis": REDIS_URL}
