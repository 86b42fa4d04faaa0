"""Keys that sign assertions, opened as an assertion profile names them: files that nobody else may read, or a token."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..config.assertion_profile import Key
from ..security.keys import Signer, UnusableKey, read_key, read_p12
from .errors import Misconfigured
from .pins import PinMemory, default_pins

_OTHERS: Final = 0o077


def open_key(key: Key, environ: Mapping[str, str], pins: Path | None = None) -> Signer:
    """The key of a profile; `environ` are the variables a password may be in, `pins` the folder of refused PINs.

    Raises Misconfigured, and KeyUnavailable for a token.
    """
    password = _password(key, environ)
    if key.pkcs12:
        try:
            return read_p12(read_private(key.pkcs12), password)
        except UnusableKey as wrong:
            raise Misconfigured(f"{key.pkcs12} cannot be used: {wrong}") from wrong
    if key.module:
        return _on_token(key, password or b"", pins or default_pins())
    if key.file is None or key.certificate is None:
        raise Misconfigured("the profile names no key")
    try:
        return read_key(read_private(key.file), read_file(key.certificate), password)
    except UnusableKey as wrong:
        raise Misconfigured(f"{key.file} with {key.certificate} cannot be used: {wrong}") from wrong


def _on_token(key: Key, pin: bytes, pins: Path) -> Signer:
    from .tokens import TokenKey  # native code that only users of a token need

    if key.module is None or key.token is None or key.label is None:
        raise Misconfigured("the profile names a module and not both token and label")
    certificate = read_file(key.certificate) if key.certificate else None
    return TokenKey(key.module, key.token, key.label, pin, PinMemory(pins), certificate)


def read_private(path: Path) -> bytes:
    """The content of a file that only its owner may read. Raises Misconfigured."""
    try:
        with path.open("rb") as file:
            others = os.fstat(file.fileno()).st_mode & _OTHERS
            if others:
                raise Misconfigured(f"{path} is open to others than its owner: chmod 600 {path}")
            return file.read()
    except OSError as wrong:
        raise Misconfigured(f"{path} cannot be read: {wrong.strerror}") from wrong


def read_file(path: Path) -> bytes:
    """The content of a file. Raises Misconfigured."""
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise Misconfigured(f"{path} cannot be read: {wrong.strerror}") from wrong


def _password(key: Key, environ: Mapping[str, str]) -> bytes | None:
    """The password or PIN, from a file without the end of its line, or from a variable."""
    if key.password_file:
        return read_private(key.password_file).rstrip(b"\r\n")
    if key.password_variable:
        if key.password_variable not in environ:
            raise Misconfigured(f"the variable {key.password_variable}, which has the password of the key, is not set")
        return environ[key.password_variable].encode()
    return None
