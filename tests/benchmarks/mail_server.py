"""A mail server that takes everything: `python -m tests.benchmarks.mail_server <port>`."""

import signal
import sys

from aiosmtpd.controller import Controller


class Everything:
    async def handle_DATA(self, server, session, envelope):  # type: ignore[no-untyped-def]
        return "250 OK"


def main() -> None:
    controller = Controller(Everything(), hostname="127.0.0.1", port=int(sys.argv[1]))
    controller.start()
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
