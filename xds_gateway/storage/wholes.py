"""A stored object read back whole, as a plan compares and copies it; answers of queries never come this way."""

from typing import Any, Final

from lxml import etree

from ..codec.ebrim import RIM, fill_fragment, parse_objects
from ..codec.xml import escape
from ..model.metadata import RegistryObject
from .fragments import unpack
from .keys import uuid_urn
from .terms import NewTerms

_START: Final = f'<rim:RegistryObjectList xmlns:rim="{RIM}">'.encode()
_END: Final = b"</rim:RegistryObjectList>"


def whole_object(row: tuple[Any, ...], terms: NewTerms) -> RegistryObject:
    """The object of a row of `statements.WHOLE`, with its holes filled from the columns."""
    uuid, lid, version, status, patient, home, update_time, fragment = row
    holes = {
        "l": uuid_urn(lid or uuid),
        "s": escape(terms.word(status) or ""),
        "v": str(version),
        "p": escape(patient or ""),
        "h": "" if home is None else f' home="{escape(home)}"',
        "t": escape(update_time or ""),
    }
    filled = fill_fragment(unpack(fragment), {ord(letter): text.encode() for letter, text in holes.items()})
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    (found,) = parse_objects(etree.fromstring(_START + filled + _END, parser), []).objects
    return found
