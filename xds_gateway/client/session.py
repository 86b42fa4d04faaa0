"""What all roles of a client share: the connections to one gateway, its journal, clock and randomness."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

from ..codec.soap import render_security_header
from .explaining import addresses_of
from .http import HttpChannel, Timeouts, TlsFiles, Transferred, nobody_watches
from .journal import Journal, default_journal
from .parts import SetIds
from .soap import SoapClient
from .source import DocumentSource
from .submission import make_oid


class Session:
    """Connections to one gateway, over mutual TLS; use one for each thread.

    Every method of a client raises the errors of `xds_gateway.client.errors`: Unreachable, TimedOut, TlsRefused,
    UnexpectedAnswer, Fault and Refused; what else a method raises stands with it.
    """

    def __init__(
        self,
        registry_url: str,
        repository_url: str,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        ca: Path | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
        journal: Path | None = None,
        assertion: Callable[[], bytes] | None = None,
        transferred: Transferred = nobody_watches,
        new_uuid: Callable[[], UUID] = uuid4,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing is sent yet. `certificate`, `key` and `ca` are PEM files; `timeout` is (connect, read) in seconds.

        `assertion` gives a signed saml:Assertion for each call, such as what `read_assertion_profile` returns, or a
        function of yours that asks an identity provider; without it none is sent. `journal` is the folder of submission
        journals, by default `xds-gateway/journal` in the user's state folder.
        `transferred` is told the size of each piece of a body that has been sent or received, for those who draw it.
        Raises Misconfigured for unusable files.
        """
        self._new_uuid = new_uuid
        self._clock = clock
        kept = Journal(journal or default_journal())
        self._channel = HttpChannel(TlsFiles(certificate=certificate, key=key, ca=ca), Timeouts(*timeout), transferred)
        self._addresses = addresses_of(registry_url, repository_url)
        self._assertion = assertion
        self._soap = SoapClient(registry_url, repository_url, self._channel, new_uuid, self._security)
        self._source = DocumentSource(self._soap, kept, f"{registry_url} {repository_url}", new_uuid, clock)

    def close(self) -> None:
        """Close the connections."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _security(self) -> str:
        """The Security header of one call."""
        return render_security_header(self._assertion()) if self._assertion else ""

    def _new_set(self) -> SetIds:
        """Ids and time of a submission set that is sent once."""
        now = self._clock().astimezone(UTC).strftime("%Y%m%d%H%M%S")
        return SetIds(self._new_uuid().urn, make_oid(self._new_uuid()), now)
