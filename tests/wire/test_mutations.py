"""Damaged messages, by seed: always an answer of the standard that blames the sender (security.md X3).

XDS_TEST_MUTATIONS sets how many batches of 25 are sent; 12 when not set.
"""

import json
import os
import random
import re
from collections.abc import Callable

import pytest

from .messages import Answer, Message, find_documents, new_patient, provide, register, registrable, retrieve, send
from .raw import Response, call

BATCHES = int(os.environ.get("XDS_TEST_MUTATIONS", "12"))
BATCH = 25
_TOKEN = re.compile(rb"<[^<>]{1,200}>|[A-Za-z0-9:.-]{3,60}")

Mutation = Callable[[random.Random, bytes], bytes]


def _place(chance: random.Random, body: bytes, longest: int = 60) -> tuple[int, int]:
    start = chance.randrange(len(body))
    return start, min(len(body), start + chance.randint(1, longest))


def _token(chance: random.Random, body: bytes) -> re.Match[bytes]:
    """One of its words or tags; all of it when there is none."""
    found = list(_TOKEN.finditer(body)) or list(re.finditer(rb"(?s).+", body))
    return chance.choice(found)


def drop(chance: random.Random, body: bytes) -> bytes:
    """Some bytes are lost."""
    start, end = _place(chance, body)
    return body[:start] + body[end:]


def double(chance: random.Random, body: bytes) -> bytes:
    """Some bytes come twice."""
    start, end = _place(chance, body, 600)
    return body[:end] + body[start:]


def flip(chance: random.Random, body: bytes) -> bytes:
    """Single bits change."""
    changed = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def insert(chance: random.Random, body: bytes) -> bytes:
    """Foreign bytes come between."""
    start, _ = _place(chance, body)
    hostile = (chance.randbytes(9), b"\x00", b"&x;", b"<x>", b"]]>", b"\r\n\r\n", b"--", b"<!--", b"\xff\xfe", b"'\"")
    return body[:start] + chance.choice(hostile) + body[start:]


def truncate(chance: random.Random, body: bytes) -> bytes:
    """The end is lost."""
    return body[: chance.randrange(len(body))]


def swap(chance: random.Random, body: bytes) -> bytes:
    """Two words or tags change places."""
    one, two = sorted((_token(chance, body), _token(chance, body)), key=lambda found: found.start())
    if one.start() == two.start():
        return body
    return body[: one.start()] + two[0] + body[one.end() : two.start()] + one[0] + body[two.end() :]


def lose_token(chance: random.Random, body: bytes) -> bytes:
    """A word or tag is lost everywhere."""
    return body.replace(_token(chance, body)[0], b"")


def rename(chance: random.Random, body: bytes) -> bytes:
    """A word becomes another one everywhere."""
    return body.replace(_token(chance, body)[0], _token(chance, body)[0])


def long_value(chance: random.Random, body: bytes) -> bytes:
    """A word becomes very long."""
    return body.replace(_token(chance, body)[0], b"9" * chance.choice((300, 70_000)), 1)


MUTATIONS: tuple[Mutation, ...] = (drop, double, flip, insert, truncate, swap, lose_token, rename, long_value)


def base(chance: random.Random) -> Message:
    """A good message."""
    makers: tuple[Callable[[], Message], ...] = (
        lambda: find_documents(new_patient(), AuthorPerson="('%a%')", CreationTimeFrom="2020"),
        lambda: provide(b"A letter.", b"Another.").message(),
        lambda: provide(b"A letter.").inline(),
        lambda: register(registrable()),
        lambda: retrieve("1.2.3", "1.2.4"),
    )
    return chance.choice(makers)()


def mutated(seed: int) -> Message:
    """The message of a seed, but for its fresh ids."""
    chance = random.Random(seed)
    message = base(chance)
    body = message.body
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        body = chance.choice(MUTATIONS)(chance, body) or b"x"
    content_type = message.headers["Content-Type"].encode()
    if chance.random() < 0.15:
        content_type = re.sub(rb"[\x00-\x1f\x7f-\xff]", b"?", chance.choice(MUTATIONS)(chance, content_type))[:2000]
    return message._replace(body=body, headers={"Content-Type": content_type.decode("latin-1")})


def wrong_with(response: Response) -> str | None:
    """What is not as it must be, None when all is well."""
    if 400 <= response.status < 500:
        return None
    if response.status not in (200, 500):
        return f"status {response.status}"
    if response.content_type == "text/plain":
        return "an answer without an envelope"
    answer = Answer(response)
    faults = ("Sender", "MustUnderstand", "VersionMismatch")
    if response.status == 500 and answer.fault not in faults and answer.find("e:Body/e:Fault/faultcode") is None:
        return f"fault {answer.fault}"
    ours = [context for context in answer.contexts if ".failed |" in context or ".failed]" in context]
    return ours[0] if ours else None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_messages_are_blamed_on_their_sender(gateway, batch):
    wrong = {}
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        message = mutated(seed)
        problem = wrong_with(call(gateway, f"/services/{message.endpoint}", message.body, message.headers))
        if problem:
            wrong[seed] = problem
    assert wrong == {}
    assert send(gateway, find_documents(new_patient())).status == "Success"
    assert not [line for line in gateway.log_text().splitlines() if json.loads(line)["level"] in ("error", "critical")]
