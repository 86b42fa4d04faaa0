"""HTTP with mutual TLS: one POST, its body streamed out and its answer streamed in; failures of the network by name."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import requests
import urllib3

from .errors import Misconfigured, TimedOut, TlsRefused, Unreachable

CHUNK: Final = 256 * 1024


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
            yield from self._response.iter_content(CHUNK)


class HttpChannel:
    """Connections to the gateway, kept alive between requests; not for use by several threads at once."""

    def __init__(self, tls: TlsFiles, timeouts: Timeouts) -> None:
        """Raises Misconfigured for unusable TLS files."""
        tls.check()
        self._tls = tls
        self._timeouts = (timeouts.connect, timeouts.read)
        self._session = requests.Session()
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
        with self.translated(url):
            response = self._session.post(
                url,
                data=body,
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
    def translated(self, url: str) -> Iterator[None]:
        """Turn failures of the network into errors of the SDK."""
        try:
            yield
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema,
        ) as wrong:
            raise Misconfigured(f"{url} is not an http or https address") from wrong
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as wrong:
            raise self._failure(url, wrong) from wrong

    def _failure(self, url: str, wrong: Exception) -> Unreachable:
        causes = list(_causes(wrong))
        for cause in causes:
            if isinstance(cause, (TimeoutError, requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)):
                return TimedOut(
                    url, f"no answer within {self._timeouts[0]:g} s to connect, {self._timeouts[1]:g} s to read"
                )
        for cause in causes:
            if isinstance(cause, ssl.SSLError):
                return TlsRefused(url, self._tls_reason(cause))
        reason = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), "the connection was cut")
        return Unreachable(url, reason + self._hint(url))

    def _tls_reason(self, cause: ssl.SSLError) -> str:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the gateway's certificate is not accepted: {cause.verify_message}"
        alert = (cause.reason or str(cause)).replace("_", " ").lower()
        return f"TLS failed: {alert}{self._hint('https:')}"

    def _hint(self, url: str) -> str:
        wanted = urlsplit(url).scheme == "https" and not self._tls.certificate
        return "; no client certificate was given, the gateway may require one" if wanted else ""


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
