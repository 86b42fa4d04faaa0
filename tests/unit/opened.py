"""A file and a port that tell whether anybody has opened or called them, native libraries too."""

import ctypes
import os
import socket
from pathlib import Path
from typing import Final

_IN_OPEN: Final = 0x20
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Opened:
    """A file in a folder, watched by the kernel, and a port of this machine that listens."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "bait"
        self.file.write_bytes(b"<bait/>")

    def __enter__(self) -> "Opened":
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port = self._socket.getsockname()[1]
        self._watch = _LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        watched = _LIBC.inotify_add_watch(self._watch, os.fsencode(self.file), _IN_OPEN)
        assert self._watch >= 0
        assert watched >= 0
        return self

    def __exit__(self, *exception: object) -> None:
        self._socket.close()
        os.close(self._watch)

    @property
    def nothing(self) -> bool:
        """True as long as nobody came."""
        return not self._was_opened() and not self._was_called()

    def _was_opened(self) -> bool:
        try:
            return bool(os.read(self._watch, 4096))
        except BlockingIOError:
            return False

    def _was_called(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True
