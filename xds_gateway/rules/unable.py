"""What an endpoint says when it cannot do its work now: busy, without room, or broken."""

from typing import Final, Literal

from ..model.errors import Finding
from .ihe import finding
from .patients import problem

Unable = Literal["busy", "full", "failed"]

_FEED: Final = {"busy": "ihe.feed.busy", "full": "ihe.feed.busy", "failed": "ihe.feed.failed"}


def service_finding(endpoint: str, unable: Unable) -> Finding:
    """The finding in the codes of the endpoint's transactions."""
    if endpoint == "patients":
        return problem(_FEED[unable], transaction="ITI-44")
    actor = "repository" if endpoint == "repository" else "registry"
    return finding(f"ihe.{actor}.{unable}")
