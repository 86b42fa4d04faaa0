"""entryUUIDs as the 16 bytes that the tables hold (ITI TF-3 4.2.3.1.5)."""

from ..model.identifiers import is_uuid_urn


def uuid_key(urn: str) -> bytes | None:
    """The bytes of a `urn:uuid:`; None for anything else, which can be the id of nothing."""
    return bytes.fromhex(urn[9:].replace("-", "")) if is_uuid_urn(urn) else None


def uuid_urn(key: bytes) -> str:
    """The lower-case `urn:uuid:` of 16 bytes."""
    digits = key.hex()
    return f"urn:uuid:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
