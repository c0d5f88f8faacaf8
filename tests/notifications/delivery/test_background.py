"""What processes without a web server load."""

import os
import subprocess
import sys

# Each costs megabytes in every installation, and delivering needs none of it.
NOT_NEEDED = ["rest_framework.views", "drf_spectacular.openapi", "pydantic"]
PROGRAM = f"""
import sys
import django
django.setup()
from notifications.delivery import background, cluster, standby, supervisor
background.load()
print(*(name for name in {NOT_NEEDED} if name in sys.modules))
"""


def test_the_background_does_not_load_the_api():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == []
