"""Production settings as a browser sees them, and the files that put them into containers."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings

ROOT = Path(settings.BASE_DIR)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    directory = tmp_path_factory.mktemp("production")
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "aegisnotify.settings",
        "AEGIS_BASE_URL": "https://notify.example.com",
        "AEGIS_DATA_DIR": str(directory / "data"),
        "STATIC_ROOT": str(directory / "static"),
        "LOG_LEVEL": "CRITICAL",
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.production"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_plain_http_is_sent_to_https_except_probes(seen):
    assert seen["redirect"] == [301, "https://notify.example.com/login/?next=/x"]
    assert seen["probe"] == 200


def test_every_page_is_strict_about_transport_and_frames(seen):
    for path, headers in seen["pages"].items():
        assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains; preload", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "same-origin", path
        assert headers["cross-origin-opener-policy"] == "same-origin", path


def test_every_page_has_a_policy_without_inline_script_or_style(seen):
    for path, headers in seen["pages"].items():
        policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'", path
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'", path
        assert "unsafe" not in headers["content-security-policy"], path


def test_cookies_go_over_https_only(seen):
    assert seen["cookies"]["sessionid"] == [True, True, "Lax"]
    assert seen["cookies"]["csrftoken"][0] is True
    assert seen["signed_in"] == 200


def test_five_wrong_passwords_lock_the_address_out_and_the_right_one_too(seen):
    assert seen["wrong"][:4] == [200] * 4
    assert set(seen["wrong"][5:]) == {seen["right_after"]} == {429}
    assert seen["locked_out_is_signed_in"] is False


def test_another_host_name_is_refused(seen):
    assert seen["other_host"] == 400


def test_static_files_have_hashed_names_and_are_kept_for_ever(seen):
    files = seen["static"]
    assert len(files) >= 3
    for name, (status, cached) in files.items():
        assert re.search(r"\.[0-9a-f]{12}\.\w+(#|$)", name), name
        assert status == 200, name
        assert "immutable" in cached, name


# --- Containers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def test_the_composition_has_all_that_production_needs(compose):
    services = compose["services"]
    assert {"web", "worker", "migrate", "database", "redis"} <= set(services)
    for name in ("web", "worker", "migrate"):
        environment = services[name]["environment"]
        assert environment["DATABASE_URL"].endswith("@database:5432/aegisnotify")
        assert environment["REDIS_URL"].startswith("redis://redis:6379/")
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    for name in ("database", "redis"):
        assert "ports" not in services[name]
        assert services[name]["healthcheck"]
    for name in ("web", "worker"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_containers_and_the_example_name_only_variables_that_there_are(compose):
    source = (ROOT / "aegisnotify/settings.py").read_text(encoding="utf-8")
    known = set(re.findall(r'(?:env\.\w+|secret)\(\s*"([A-Z_]+)"', source))
    beside = {"POSTGRES_PASSWORD", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "AEGIS_PORT"}
    assert set(compose["services"]["web"]["environment"]) - beside <= known
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE))
    assert named <= known | beside
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))
    assert used <= named, "every variable that compose.yaml takes is in .env.example"


def test_the_image_runs_as_nobody_special_and_builds_in_two_stages():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert text.count("\nFROM ") + text.startswith("FROM ") >= 2
    last = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER \d+", last, re.MULTILINE)
    assert "collectstatic" in text
    assert not re.search(r"(SECRET_KEY|ENCRYPTION_KEYS)=", last)


def test_gunicorn_takes_its_settings_file(tmp_path):
    environment = {"PATH": os.environ["PATH"], "AEGIS_DATA_DIR": str(tmp_path), "WEB_CONCURRENCY": "3"}
    command = [sys.executable, "-m", "gunicorn", "--print-config", "aegisnotify.wsgi"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = dict(re.findall(r"^(\w+)\s+= (.*)$", done.stdout, re.MULTILINE))
    assert (shown["workers"], shown["threads"], shown["worker_class"]) == ("3", "4", "gthread")
    # With a dictionary of its own gunicorn writes an access log, whatever `accesslog` says.
    assert (shown["accesslog"], shown["logconfig_dict"]) == ("None", "{}")


def test_docker_compose_takes_the_composition_where_it_is_installed(tmp_path):
    command = next((each for each in (["docker", "compose"], ["docker-compose"]) if _works([*each, "version"])), None)
    if command is None:
        pytest.skip("docker compose is not installed")
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    done = subprocess.run([*command, "config", "--quiet"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _works(command):
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
