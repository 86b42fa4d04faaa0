"""Keys on smart cards and HSMs, which sign and never leave them, by PKCS #11 (OASIS PKCS #11 2.40).

A session belongs to the process that opened it: after a fork, and when the token has dropped it, another one is opened.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import pkcs11
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import Attribute, Mechanism, ObjectClass, TokenFlag
from pkcs11 import exceptions as p11

from ..security.keys import UnusableKey, certificate_key, read_certificate
from .errors import KeyUnavailable, Misconfigured
from .pins import PinMemory, PinRefused

T = TypeVar("T")

_PIN_WRONG: Final = (p11.PinIncorrect, p11.PinInvalid, p11.PinLenRange)


class _Library:
    """A PKCS #11 library in this process: sessions of other ages are of another process, or were given up."""

    def __init__(self, path: Path) -> None:
        self.age = 0
        self.lock = threading.RLock()
        self._path = path
        self._loaded: Any = None

    def loaded(self) -> Any:
        """The library, initialized in this process. Raises Misconfigured."""
        try:
            if self._loaded is None:
                self._loaded = pkcs11.lib(str(self._path))
            self._loaded.initialize()
        except (p11.PKCS11Error, RuntimeError) as wrong:
            raise Misconfigured(f"{self._path} is no PKCS #11 library that can be used{_told(wrong)}") from wrong
        return self._loaded

    def begin_anew(self) -> None:
        """Give up all sessions, and whatever a parent process had."""
        self.age += 1
        if self._loaded is not None:
            with suppress(p11.PKCS11Error):  # a library that has noticed the fork itself is not initialized
                self._loaded.finalize()

    def forked(self) -> None:
        """In a child process: nothing of the parent's may be used, its locks least of all."""
        self.lock = threading.RLock()
        self.begin_anew()


_LIBRARIES: Final[dict[Path, _Library]] = {}


def _forked() -> None:
    for library in _LIBRARIES.values():
        library.forked()


os.register_at_fork(after_in_child=_forked)


class TokenKey:
    """A private key on a token, and its certificate: given, or the one on the token with the key's CKA_ID."""

    def __init__(
        self, module: Path, token: str, label: str, pin: bytes, pins: PinMemory, certificate: bytes | None = None
    ) -> None:
        """`token` and `label` are the labels of token and key. Raises Misconfigured, KeyUnavailable."""
        self._library = _LIBRARIES.setdefault(module, _Library(module))
        self._token = token
        self._label = label
        self._pin = pin
        self._pins = pins
        self._opened: tuple[int, Any] | None = None
        try:
            found = read_certificate(certificate or self._with_key(self._certificate_beside))
            self._is_rsa = isinstance(certificate_key(found), rsa.RSAPublicKey)
        except UnusableKey as wrong:
            raise Misconfigured(f"the certificate of key {label} cannot be used: {wrong}") from wrong
        self._certificate = found.public_bytes(Encoding.DER)

    @property
    def certificate(self) -> bytes:
        """See Signer."""
        return self._certificate

    def sign(self, data: bytes) -> bytes:
        """See Signer. Raises KeyUnavailable."""
        if self._is_rsa:
            return self._with_key(lambda key: bytes(key.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS)))
        digest = sha256(data).digest()  # ECDSA on a token gives r and s side by side
        return self._with_key(lambda key: bytes(key.sign(digest, mechanism=Mechanism.ECDSA)))

    def _find_key(self, session: Any) -> Any:
        try:
            return session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=self._label)
        except p11.NoSuchKey as wrong:
            raise KeyUnavailable(f"the token {self._token} has no private key {self._label}") from wrong
        except p11.MultipleObjectsReturned as wrong:
            raise KeyUnavailable(f"the token {self._token} has several private keys {self._label}") from wrong

    def _certificate_beside(self, key: Any) -> bytes:
        wanted = {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.ID: key[Attribute.ID]}
        found = list(key.session.get_objects(wanted))
        if found:
            return bytes(found[0][Attribute.VALUE])
        raise Misconfigured(
            f"the token {self._token} has no certificate with the id of key {self._label}: say its file as certificate"
        )

    def _with_key(self, act: Callable[[Any], T]) -> T:
        """Act with the key in a session; in a new one, once, when the token has dropped the present one."""
        with self._library.lock:
            was_open = self._opened is not None and self._opened[0] == self._library.age
            try:
                return act(self._key())
            except p11.PKCS11Error as wrong:  # libraries differ in how they say that a session is gone
                if not was_open:
                    raise self._failed(wrong) from wrong
            self._library.begin_anew()
            try:
                return act(self._key())
            except p11.PKCS11Error as wrong:
                raise self._failed(wrong) from wrong

    def _key(self) -> Any:
        """The key in the session of this process; a search in a session that is lost would be loud."""
        if self._opened is None or self._opened[0] != self._library.age:
            self._opened = (self._library.age, self._find_key(self._logged_in()))
        return self._opened[1]

    def _logged_in(self) -> Any:
        """A new session of the user; the PIN is tried once, and not when the token says that it is the last try."""
        token = self._find_token()
        if token.flags & TokenFlag.USER_PIN_LOCKED:
            raise KeyUnavailable(f"the PIN of token {self._token} is locked: unlock it with the token's own program")
        if token.flags & TokenFlag.USER_PIN_FINAL_TRY:
            raise KeyUnavailable(
                f"the next wrong PIN would lock token {self._token}: log in once with the token's own program"
            )
        with self._pins.trying(f"{token.manufacturer_id} {token.serial!r} {token.label}", self._pin):
            try:
                return token.open(user_pin=self._pin.decode())
            except p11.UserAlreadyLoggedIn:  # another session of this process: login is for all of them
                return token.open()
            except _PIN_WRONG as wrong:
                raise PinRefused from wrong

    def _find_token(self) -> Any:
        try:
            return self._library.loaded().get_token(token_label=self._token)
        except p11.NoSuchToken as wrong:
            raise KeyUnavailable(
                f"there is no token {self._token}: is it plugged in, and its library the right one?"
            ) from wrong
        except p11.MultipleTokensReturned as wrong:
            raise KeyUnavailable(f"there are several tokens {self._token}") from wrong

    def _failed(self, wrong: p11.PKCS11Error) -> KeyUnavailable:
        return KeyUnavailable(f"the token {self._token} could not sign{_told(wrong)}")


def _told(wrong: Exception) -> str:
    """The name of what PKCS #11 says; its messages may quote anything."""
    return f" ({type(wrong).__name__})"
