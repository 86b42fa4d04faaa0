"""HTTP with mutual TLS: one POST, its body streamed out and its answer streamed in; failures of the network by name."""

import errno
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import requests
import urllib3

from .errors import Misconfigured, TimedOut, TlsRefused, Unreachable

CHUNK: Final = 256 * 1024
_TIMEOUTS: Final = (TimeoutError, requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files: the client's certificate (its chain after it) and key, and the authorities to trust servers by.

    Without `ca` the public authorities of the requests library count; without `certificate` none is shown.
    """

    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None

    def check(self) -> None:
        """Raise Misconfigured that names a file which is absent or does not hold what it should."""
        for path in filter(None, (self.certificate, self.key, self.ca)):
            if not path.is_file():
                raise Misconfigured(f"{path} is not a file")
        context = ssl.create_default_context()
        try:
            if self.ca:
                context.load_verify_locations(self.ca)
        except ssl.SSLError as wrong:
            raise Misconfigured(f"{self.ca} holds no PEM certificates") from wrong
        try:
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        except ssl.SSLError as wrong:
            raise Misconfigured(f"{self.certificate} and {self.key or 'the key in it'} are not a PEM pair") from wrong


class Timeouts:
    """Seconds to wait for a connection, and for each piece of the answer."""

    def __init__(self, connect: float, read: float) -> None:
        self.connect = connect
        self.read = read


class Streamed(Protocol):
    """A body whose length is known before it is read; each iteration begins anew."""

    def __len__(self) -> int:
        """The length in bytes."""

    def __iter__(self) -> Iterator[bytes]:
        """The bytes in pieces."""


Transferred = Callable[[int], None]


def nobody_watches(size: int) -> None:
    """Take no notice of bytes that went over the network."""


class _Watched:
    """A body that tells how much of it has left."""

    def __init__(self, body: Streamed, transferred: Transferred) -> None:
        self._body = body
        self._transferred = transferred

    def __len__(self) -> int:
        return len(self._body)

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body:
            yield piece
            self._transferred(len(piece))


class _Connection(urllib3.connection.HTTPSConnection):
    """Reads the answer of a gateway that refused, and closed, before the whole body was sent.

    urllib3 does so when a write breaks on TCP; a write that breaks in TLS is told as another error.
    """

    def send(self, data: Any) -> None:
        """Send bytes; a connection that the other side has closed is a broken pipe."""
        try:
            super().send(data)
        except ssl.SSLEOFError as closed:
            raise BrokenPipeError(errno.EPIPE, "the gateway closed the connection") from closed


class _Pool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Adapter(requests.adapters.HTTPAdapter):
    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": urllib3.HTTPConnectionPool, "https": _Pool}


class HttpAnswer:
    """An answer whose head is here and whose body is read by iterating, once."""

    def __init__(self, response: requests.Response, channel: "HttpChannel", url: str) -> None:
        self._response = response
        self._channel = channel
        self._url = url

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status_code

    @property
    def content_type(self) -> str:
        """The Content-Type as sent; empty when absent."""
        return str(self._response.headers.get("Content-Type", ""))

    def __iter__(self) -> Iterator[bytes]:
        with self._channel.translated(self._url):
            for piece in self._response.iter_content(CHUNK):
                self._channel.transferred(len(piece))
                yield piece


class HttpChannel:
    """Connections to the gateway, kept alive between requests; not for use by several threads at once."""

    def __init__(self, tls: TlsFiles, timeouts: Timeouts, transferred: Transferred = nobody_watches) -> None:
        """`transferred` is told the size of each piece of a body; raises Misconfigured for unusable TLS files."""
        tls.check()
        self.transferred = transferred
        self._tls = tls
        self._timeouts = (timeouts.connect, timeouts.read)
        self._session = requests.Session()
        self._session.mount("https://", _Adapter())
        self._session.trust_env = False  # proxies and .netrc of the shell are not the practice software's settings
        self._session.verify = str(tls.ca) if tls.ca else True
        if tls.certificate:
            pair = (str(tls.certificate), str(tls.key)) if tls.key else str(tls.certificate)
            self._session.cert = pair
        self._session.headers.update({"User-Agent": "xds-gateway", "Accept-Encoding": "identity"})

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    @contextmanager
    def post(self, url: str, body: bytes | Streamed, content_type: str) -> Iterator[HttpAnswer]:
        """Send one request; raises Unreachable, TimedOut, TlsRefused, also while the answer is read.

        Redirects are not followed.
        """
        with self.translated(url, self._hint(url)):
            response = self._session.post(
                url,
                data=body if isinstance(body, bytes) else _Watched(body, self.transferred),
                headers={"Content-Type": content_type},
                timeout=self._timeouts,
                stream=True,
                allow_redirects=False,
            )
        try:
            yield HttpAnswer(response, self, url)
        finally:
            response.close()

    @contextmanager
    def translated(self, url: str, hint: str = "") -> Iterator[None]:
        """Turn failures of the network into errors of the SDK; `hint` is added where a connection just ends."""
        try:
            yield
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema,
        ) as wrong:
            raise Misconfigured(f"{url} is not an http or https address") from wrong
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as wrong:
            raise self._failure(url, wrong, hint) from wrong

    def _failure(self, url: str, wrong: Exception, hint: str) -> Unreachable:
        causes = list(_causes(wrong))
        if any(isinstance(c, urllib3.exceptions.NewConnectionError) for c in causes):
            return Unreachable(url, _reason(causes))
        if any(isinstance(c, _TIMEOUTS) for c in causes):
            connect, read = self._timeouts
            return TimedOut(url, f"no answer within {connect:g} s to connect, {read:g} s to read")
        tls = next((c for c in causes if isinstance(c, ssl.SSLError) and not isinstance(c, ssl.SSLEOFError)), None)
        if isinstance(tls, ssl.SSLCertVerificationError):
            return TlsRefused(url, f"the gateway's certificate is not accepted: {tls.verify_message}")
        if tls is not None:
            return TlsRefused(url, f"TLS failed: {(tls.reason or str(tls)).replace('_', ' ').lower()}{hint}")
        return TlsRefused(url, _reason(causes) + hint) if hint else Unreachable(url, _reason(causes))

    def _hint(self, url: str) -> str:
        """What a connection that ends before any answer may mean: servers often cut it without saying why."""
        wanted = urlsplit(url).scheme == "https" and not self._tls.certificate
        return "; no client certificate was given, the gateway may require one" if wanted else ""


def _reason(causes: list[BaseException]) -> str:
    told = (c.strerror for c in causes if isinstance(c, OSError) and not isinstance(c, ssl.SSLError) and c.strerror)
    return next(told, "the connection was cut")


def _causes(wrong: BaseException) -> Iterator[BaseException]:
    """The exception and all that it wraps, outermost first."""
    waiting, seen = [wrong], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [current.__cause__, current.__context__, *current.args]
        with suppress(AttributeError):
            inner.append(current.reason)  # type: ignore[attr-defined]
        waiting += [one for one in inner if isinstance(one, BaseException)]
