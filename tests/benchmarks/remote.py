"""The other end of `harness.Remote`: reads calls from its input, a line of JSON each, and writes their results."""

import importlib
import json
import os
import sys

import django


def main() -> None:
    # The results' line is ours alone: whatever else is printed goes to the errors.
    answers, sys.stdout = sys.stdout, sys.stderr
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        django.setup()
    for line in sys.stdin:
        name, arguments = json.loads(line)
        module, _, function = name.partition(":")
        result = getattr(importlib.import_module(module), function)(**arguments)
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main()
