"""A receiver that is not the bottleneck: one process, asyncio, HTTP read by hand, several ports as several hosts.

Some 15 µs a request. It counts what arrives and remembers when each delivery did.
"""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

from tests.benchmarks.harness import ROOT, wait_until

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_DELIVERY = b"x-aegisrunner-delivery: "


class Receiver:
    """The parent's handle. `ports` answer at once or after `delay`; `dead_port` takes requests and never answers."""

    def __init__(self, ports: list[int], dead_port: int, control: int) -> None:
        self.ports = ports
        self.dead_port = dead_port
        self._control = control

    def reset(self, delay: float = 0.0) -> None:
        self._ask(f"/reset?{delay}")

    def count(self) -> int:
        return self._ask("/count")["count"]

    def span(self) -> tuple[float, float]:
        """When the first and the last request arrived, in seconds since the epoch."""
        answer = self._ask("/count")
        return answer["first"], answer["last"]

    def arrivals(self) -> list[tuple[str, float]]:
        """Every arrival that carried a delivery's id, in order."""
        return [(delivery, at) for delivery, at in self._ask("/arrivals")]

    def _ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._control}{path}", timeout=60) as answer:
            return json.load(answer)


@contextlib.contextmanager
def receiver(hosts: int = 8) -> Iterator[Receiver]:
    ports = _free_ports(hosts + 2)
    process = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.receiver", *map(str, ports)], cwd=ROOT)
    handle = Receiver(ports[2:], ports[1], ports[0])
    try:
        wait_until(lambda: _is_up(handle), "the receiver")
        yield handle
    finally:
        process.kill()
        process.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _is_up(handle: Receiver) -> bool:
    try:
        handle.reset()
    except OSError:
        return False
    return True


class _State:
    def __init__(self) -> None:
        self.delay = 0.0
        self.clear()

    def clear(self) -> None:
        self.count = 0
        self.first = self.last = 0.0
        self.arrivals: list[tuple[str, float]] = []


class _Hook(asyncio.Protocol):
    """One connection of a sender."""

    def __init__(self, state: _State, loop: asyncio.AbstractEventLoop, *, dead: bool = False) -> None:
        self._state = state
        self._loop = loop
        self._dead = dead
        self._data = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while True:
            head, found, rest = self._data.partition(b"\r\n\r\n")
            if not found:
                return
            lower = head.lower()
            _, _, length = lower.partition(b"content-length: ")
            size = int(length.split(b"\r\n", 1)[0] or 0)
            if len(rest) < size:
                return
            self._data = rest[size:]
            self._arrived(lower)

    def _arrived(self, head: bytes) -> None:
        if self._dead:
            return
        state, at = self._state, time.time()
        state.count += 1
        state.first, state.last = state.first or at, at
        _, _, delivery = head.partition(_DELIVERY)
        if delivery:
            state.arrivals.append((delivery[:36].decode(), at))
        if state.delay:
            self._loop.call_later(state.delay, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_OK)


class _Control(asyncio.Protocol):
    """The parent's questions, one a connection."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        state, path = self._state, data.split(b" ", 2)[1].decode()
        answer: Any = {"count": state.count, "first": state.first, "last": state.last}
        if path == "/arrivals":
            answer = state.arrivals
        elif path.startswith("/reset?"):
            state.clear()
            state.delay = float(path.partition("?")[2])
        body = json.dumps(answer).encode()
        self._transport.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        self._transport.close()


async def serve(control: int, dead: int, ports: list[int]) -> None:
    state, loop = _State(), asyncio.get_running_loop()
    await loop.create_server(lambda: _Control(state), "127.0.0.1", control)
    await loop.create_server(lambda: _Hook(state, loop, dead=True), "127.0.0.1", dead)
    for port in ports:
        await loop.create_server(lambda: _Hook(state, loop), "127.0.0.1", port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    asyncio.run(serve(numbers[0], numbers[1], numbers[2:]))
