"""The README says what is so."""

import hashlib
import hmac
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECRET, BODY = "It's a Secret to Everybody", b"Hello, World!"
HEADER = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def snippet(language):
    return re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)[1]


def test_every_variable_that_the_settings_read_is_in_the_table():
    source = (ROOT / "aegisnotify/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'(?:env\.\w+|secret)\(\s*"([A-Z_]+)"', source))
    assert len(read) > 20
    assert {name for name in read if f"`{name}`" not in README} == set()


def test_ci_runs_the_readmes_test_command():
    command = next(line for line in snippet("sh").splitlines() + README.splitlines() if ".venv/bin/pytest" in line)
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_the_python_snippet_verifies():
    names = {}
    exec(snippet("python"), names)
    assert names["verified"](SECRET, BODY, HEADER)
    assert not names["verified"](SECRET, BODY + b"!", HEADER)
    assert "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest() == HEADER


CALLS = {
    "js": ("node", ["-e"], "{code}\nprocess.exit(verified({secret}, Buffer.from({body}), {header}) ? 0 : 1);"),
    "php": ("php", ["-r"], "{code}\nexit(verified({secret}, {body}, {header}) ? 0 : 1);"),
    "ruby": ("ruby", ["-e"], "{code}\nexit(verified?({secret}, {body}, {header}))"),
}


@pytest.mark.parametrize("language", CALLS)
def test_the_other_snippets_verify_where_their_language_is_installed(language):
    program, arguments, call = CALLS[language]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    values = {"secret": f'"{SECRET}"', "body": '"Hello, World!"'}
    for header, code in ((HEADER, 0), (HEADER[:-1] + "0", 1)):
        text = call.replace("{code}", snippet(language)).replace("{header}", f'"{header}"')
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        assert subprocess.run([program, *arguments, text], check=False).returncode == code
