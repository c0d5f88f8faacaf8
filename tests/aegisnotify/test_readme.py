"""The README says what is so."""

import hashlib
import hmac
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from aegisnotify.clock import now
from notifications import documentation
from notifications.channels.webhook import signature

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


def test_every_variable_of_the_table_is_read_by_the_settings():
    source = (ROOT / "aegisnotify/settings.py").read_text(encoding="utf-8")
    table = README.partition("## Configuration")[2].partition("\n## ")[0]
    rows = [row for row in table.splitlines() if row.startswith("| `")]
    names = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}
    assert len(names) > 20
    assert {name for name in names if f'"{name}"' not in source} == set()


def test_ci_runs_the_readmes_test_command():
    command = next(line for line in snippet("sh").splitlines() + README.splitlines() if ".venv/bin/pytest" in line)
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_readme_and_docs_page_show_the_same_snippets():
    shown = documentation.snippets()
    assert len(shown) == 5
    assert [each.language for each in shown if f"\n{each.code}```\n" not in README] == []


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


def test_the_go_snippet_verifies_where_go_is_installed(tmp_path):
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    code = snippet("go").replace("package webhook", "package main").replace("import (", 'import (\n\t"os"')
    call = f'verified("{SECRET}", []byte("Hello, World!"), os.Args[1])'
    (tmp_path / "main.go").write_text(f"{code}\nfunc main() {{\n\tif !{call} {{\n\t\tos.Exit(1)\n\t}}\n}}\n")
    for header, good in ((HEADER, True), (HEADER[:-1] + "0", False)):
        done = subprocess.run(["go", "run", "main.go", header], cwd=tmp_path, check=False)
        assert (done.returncode == 0) is good


def test_the_lines_with_a_library_read_a_webhook_of_ours():
    secret, body = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", '{"name":"Größe ✅"}'.encode()
    names = {}
    exec(re.findall(r"```python\n(.*?)```", README, re.DOTALL)[1], names)
    sent = signature.headers(delivery_id="d", event="run_failed", at=now(), body=body, secret=secret)
    assert names["read"](secret, body, sent) == json.loads(body)
