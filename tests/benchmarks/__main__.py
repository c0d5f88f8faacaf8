"""`python -m tests.benchmarks [question …] [--rounds N] [--quick] [--keep]`: run the questions and print their tables."""

import argparse
import importlib
import sys

from tests.benchmarks.harness import Options, machine, progress

QUESTIONS = (
    *("delivering", "dead_host", "accepting", "latency", "killing", "memory"),
    *("growth", "admin", "pages", "retention", "digests"),
)
# Twenty minutes and more: only when asked for.
LONG = ("soak",)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "questions",
        nargs="*",
        metavar="question",
        help=f"of: {', '.join(QUESTIONS)} (all of these when none), {', '.join(LONG)}",
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds in turns, of which the median counts")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size: to see that it works")
    parser.add_argument("--keep", action="store_true", help="leave the databases of `pages`, or use those left before")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.questions if name not in QUESTIONS + LONG]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}. Known: {', '.join(QUESTIONS + LONG)}.")
    options = Options(rounds=arguments.rounds, quick=arguments.quick, keep=arguments.keep)
    tables = []
    for name in arguments.questions or QUESTIONS:
        progress(f"{name}:")
        tables += importlib.import_module(f"tests.benchmarks.{name}").run(options)
    print(f"\nMeasured on {machine()}.", file=sys.stdout)
    for table in tables:
        print(f"\n{table.markdown()}", file=sys.stdout)


if __name__ == "__main__":
    main()
