"""Weekly digests for 10,000 people in 2,000 workspaces, built and handed to a mail server on this machine."""

import subprocess
import sys

from tests.benchmarks.harness import ROOT, Options, Table, free_port, postgresql, progress


def run(options: Options) -> list[Table]:
    """One round: it takes minutes, and what it shows (memory, queries for each) does not vary."""
    table = Table(
        "Weekly digests, five readers in each workspace, PostgreSQL and a mail server beside it, one process",
        ["workspaces", "digests", "digests/s", "queries for each", "MB more at the peak"],
    )
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.mail_server", str(port)], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        server.stdout.readline()
        # The smaller one first: that memory and queries do not grow is seen by comparing.
        for workspaces in (options.size(200), options.size(2000)):
            with postgresql() as database:
                sender = database.another(
                    EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
                    EMAIL_HOST="127.0.0.1",
                    EMAIL_PORT=str(port),
                )
                readers = database.remote.call("digest_rows:fill", workspaces=workspaces)
                result = sender.call("digest_rows:send")
                states = database.remote.call("digest_rows:outcomes")
                sender.close()
            if states != {"sent": readers}:
                raise RuntimeError(f"Not all {readers} digests were sent: {states}.")
            rate = result["sent"] / result["seconds"]
            progress(f"digests, {workspaces} workspaces: {rate:.0f}/s")
            each = result["queries"] / result["sent"]
            table.add(workspaces, readers, f"{rate:.0f}", f"{each:.1f}", f"{result['megabytes']:.0f}")
    finally:
        server.kill()
        server.wait()
    return [table]
