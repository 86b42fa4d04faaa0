"""Chains of the audit: each event's digest covers the one before it, so that none can be changed, lost or moved alone.

The first digest covers the name of the chain: a segment of the journal, or the table. The id of an event is made of
its digest, so that it is the same whenever it is told.
"""

from hashlib import sha256
from typing import Final

TABLE: Final = "audit_event"
_TAIL: Final = len(b',"chain":"') + 64 + len(b'"}')


def seed(name: str) -> bytes:
    """What the first event of a chain follows."""
    return sha256(f"xds-gateway audit {name}".encode()).digest()


def follow(previous: bytes, event: bytes) -> bytes:
    """The digest of an event that comes after `previous`."""
    return sha256(previous + event).digest()


def chained(event: bytes, chain: bytes) -> bytes:
    """The line of an event, its digest at the end."""
    return b'%b,"chain":"%b"}\n' % (event[:-1], chain.hex().encode())


def parse_chained(line: bytes) -> tuple[bytes, bytes | None]:
    """The event of a line as it was hashed, and its digest; None for a line of a release without chains."""
    tail = line.rstrip(b"\n")[-_TAIL:]
    if not tail.startswith(b',"chain":"') or not tail.endswith(b'"}'):
        return line.rstrip(b"\n"), None
    try:
        return line.rstrip(b"\n")[:-_TAIL] + b"}", bytes.fromhex(tail[10:-2].decode("ascii"))
    except ValueError:
        return line.rstrip(b"\n"), None


def event_id(chain: bytes) -> str:
    """The id of an event, a `urn:uuid:` (RFC 9562 version 8)."""
    digits = chain[:16].hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"urn:uuid:{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
