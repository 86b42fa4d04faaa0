"""What stands behind a mount: the actors of its domain, and who may call them."""

from dataclasses import dataclass
from typing import Any

from ..actors.domain import DomainActors
from ..actors.ports import DocumentStore
from ..codec.transactions import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class MountedDomain:
    """The actors of one domain behind one mount, and who may call them."""

    domain: str
    actors: DomainActors
    documents: DocumentStore
    certificate_required: bool
    dry_run: bool = True

    def actor(self, name: Actor) -> Any:
        """The actor that a row of `codec.transactions` names."""
        return getattr(self.actors, name)
