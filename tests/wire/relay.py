"""A relay between a client and the gateway that sees bytes pass, and acts on their number."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self


class Relay:
    """Passes TCP connections on to a port; `on_sent` and `on_answered` learn how many bytes went, and may raise Cut.

    Bytes are counted before they are passed on. They are those of the connection being relayed, both ways since `arm`.
    """

    def __init__(self, target_port: int, host: str = "127.0.0.1") -> None:
        self._target = ("127.0.0.1", target_port)
        self._listening = socket.create_server((host, 0))
        self.port: int = self._listening.getsockname()[1]
        self.sent = 0
        self._on_sent: Callable[[int], None] = _pass
        self._on_answered: Callable[[int, int], None] = _pass_answer
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(
        self,
        *,
        on_sent: Callable[[int], None] | None = None,
        on_answered: Callable[[int, int], None] | None = None,
    ) -> None:
        """Watch from now on: on_sent(bytes sent), on_answered(bytes sent, bytes answered)."""
        self.sent = 0
        self._on_sent = on_sent or _pass
        self._on_answered = on_answered or _pass_answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self._back, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        def passing(data: bytes) -> None:
            self.sent += len(data)
            self._on_sent(self.sent)

        _pump(client, server, passing)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        answered = 0

        def passing(data: bytes) -> None:
            nonlocal answered
            answered += len(data)
            self._on_answered(self.sent, answered)

        _pump(server, client, passing)


class Cut(Exception):
    """Close both sides of this connection now."""


def _pass(sent: int) -> None:
    """Let everything through."""


def _pass_answer(sent: int, answered: int) -> None:
    """Let everything through."""


def _pump(source: socket.socket, target: socket.socket, passing: Callable[[bytes], None]) -> None:
    try:
        while data := source.recv(65536):
            passing(data)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except (OSError, Cut):
        for end in (source, target):
            with suppress(OSError):  # close alone waits for the other thread, which reads from this socket
                end.shutdown(socket.SHUT_RDWR)
            end.close()
