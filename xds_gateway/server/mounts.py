"""What stands behind a mount: the actors of its domain, and who may call them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..actors.domain import DomainActors
from ..actors.ports import DocumentStore
from ..actors.x_service_provider import XServiceProvider
from ..codec.transactions import Actor
from ..model.principal import Access, Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class MountedDomain:
    """The actors of one domain behind one mount, who may call them, and what each caller may do (`access`).

    `users` authenticates the users of its requests; without it the mount reads no assertions.
    """

    domain: str
    access: Callable[[Principal], Access]
    actors: DomainActors
    documents: DocumentStore
    certificate_required: bool
    dry_run: bool = True
    users: XServiceProvider | None = None
    tell_refusals: bool = False

    def actor(self, name: Actor) -> Any:
        """The actor that a row of `codec.transactions` names."""
        return getattr(self.actors, name)
