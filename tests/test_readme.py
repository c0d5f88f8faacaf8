"""What README.md says is so: the settings it lists, the commands of CI, the verifiers in five languages."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from aegisnotify.clock import now
from notifications.channels.webhook import signature

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECRET, BODY = "a secret: ü, whsec_like", '{"name":"Größe ✅"}'.encode()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def names_in_settings():
    source = (ROOT / "aegisnotify" / "settings.py").read_text(encoding="utf-8")
    return set(re.findall(r'(?:env\.\w+|\b(?:kept_)?secret)\(\s*"([A-Z][A-Z0-9_]+)"', source))


def names_in_table():
    rows = README.partition("## Configuration")[2].partition("## ")[0].splitlines()
    return {name for row in rows if row.startswith("| `") for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}


def test_the_readme_lists_every_setting_and_no_other():
    assert len(names_in_settings()) > 25
    assert names_in_table() == names_in_settings()


def test_ci_runs_the_readmes_test_command():
    command = blocks("sh")[1].strip()
    assert command.startswith("python3 -m venv .venv && ")
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def python(*arguments):
    namespace = {}
    exec(blocks("python")[0], namespace)
    return namespace["verify"](*arguments)


def node(*arguments):
    return run(["node", "script.js"], "script.js", "js", "console.log(verify(%s, Buffer.from(%s), %s));", arguments)


def ruby(*arguments):
    return run(["ruby", "script.rb"], "script.rb", "ruby", "puts verify(%s, %s, %s)", arguments)


def php(*arguments):
    call = "echo verify(%s, %s, %s) ? 'true' : 'false';"
    return run(["php", "script.php"], "script.php", "php", call, arguments)


def go(*arguments):
    call = "func main() {\n\tfmt.Println(Verify(%s, []byte(%s), %s))\n}\n"
    return run(["go", "run", "script.go"], "script.go", "go", call, arguments)


def run(command, name, language, call, arguments):
    """Runs the README's function; the arguments are written as JSON, whose strings all these languages read."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    secret, body, header = arguments
    texts = (json.dumps(text, ensure_ascii=False) for text in (secret, body.decode(), header))
    source = blocks(language)[0] + call % tuple(texts)
    if language == "go":
        source = source.replace("package webhook", "package main").replace("import (", 'import (\n\t"fmt"')
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_text(source, encoding="utf-8")
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=True)
    return {"true": True, "false": False}[done.stdout.strip()]


@pytest.mark.parametrize("verify", [python, node, go, php, ruby])
def test_the_verifier_of_each_language_accepts_ours_and_nothing_else(verify):
    sent = signature.headers(delivery_id="d", event="run_failed", at=now(), body=BODY, secret=SECRET)
    header = sent["X-AegisRunner-Signature"]
    assert verify(SECRET, BODY, header)
    assert not verify(SECRET, BODY + b" ", header)
    assert not verify("another secret", BODY, header)
    assert not verify(SECRET, BODY, header.replace("sha256=", ""))
    assert not verify(SECRET, BODY, "")


def test_the_standard_librarys_lines_read_ours():
    secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    namespace = {}
    exec(blocks("python")[1], namespace)
    sent = signature.headers(delivery_id="d", event="run_failed", at=now(), body=BODY, secret=secret)
    assert namespace["read"](secret, BODY, sent) == json.loads(BODY)
