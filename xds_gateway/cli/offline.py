"""A gateway in this process over an empty registry in a temporary folder: the server's own path, without a socket."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from ..codec.captures import Capture
from ..config import Settings
from ..domains import prepare
from ..server.exchange import HttpRequest, HttpResponse
from ..wiring import build


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


def answer(capture: Capture, settings: Settings) -> Answer:
    """What a gateway of these settings says to a request; its first mount, with its domain, is asked."""
    with TemporaryDirectory(prefix="xds-gateway-explain-") as folder:
        alone = _alone(settings, Path(folder))
        prepare(alone)
        logging.getLogger("xds_gateway").addHandler(logging.NullHandler())
        gateway = build(alone)
        try:
            (mount,) = gateway.mounts.values()
            pipeline = gateway.pipeline
            response = asyncio.run(pipeline.answer(_request(capture), mount, capture.endpoint or "registry"))
        finally:
            gateway.close()
        return _told(response)


def _alone(settings: Settings, folder: Path) -> Settings:
    """The rules and limits of these settings, and nothing of their data."""
    mount = settings.mounts[0].model_copy(update={"authentication": "none", "assertions": "off", "dry_run": True})
    return settings.model_copy(
        update={
            "data_folder": folder,
            "database_url": f"sqlite:///{(folder / 'registry.sqlite3').as_posix()}",
            "workers": 1,
            "mounts": (mount,),
            "domains": (settings.domain(mount.domain).model_copy(update={"on_demand": None}),),
        }
    )


def _request(capture: Capture) -> HttpRequest:
    async def body() -> AsyncIterator[bytes]:
        yield capture.body

    return HttpRequest(
        method="POST",
        path=capture.path or "/",
        query="",
        headers=capture.headers,
        address="offline",
        certificate=None,
        body=body(),
    )


def _told(response: HttpResponse) -> Answer:
    return Answer(response.status, dict(response.headers).get("Content-Type", ""), response.content)
