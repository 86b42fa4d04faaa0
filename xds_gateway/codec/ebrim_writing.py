"""Metadata values to ebRIM 3.0 (ITI TF-3 4.2).

A *fragment* is one rendered object of an answer. What the registry may change later is a hole in it, a NUL and a
letter: `l` lid, `s` status, `v` version, `p` patientId, `h` the whole home attribute, `t` Folder.lastUpdateTime.

Tags that repeat in every message (names of slots, schemes, languages) are rendered once and kept.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from ..model import vocabulary as v
from ..model.metadata import (
    Association,
    Classification,
    DocumentEntry,
    ExternalIdentifier,
    Folder,
    LocalizedString,
    ObjectRef,
    RegistryObject,
    Slot,
    Submission,
)
from .namespaces import LCM, RIM, RS
from .xml import escape

LAST_UPDATE_TIME: Final = "lastUpdateTime"
_MANAGED: Final = ' lid="\0l" status="\0s"\0h'
_MANAGED_VERSION: Final = '<rim:VersionInfo versionName="\0v"/>'
_MANAGED_UPDATE_TIME: Final = (
    f'<rim:Slot name="{LAST_UPDATE_TIME}"><rim:ValueList><rim:Value>\0t</rim:Value></rim:ValueList></rim:Slot>'
)
_MANAGED_PATIENT: Final = ' value="\0p"'
_TAGS: Final = 4096  # rendered tags that are kept
_SHORT: Final = 200  # characters: a longer name is rendered anew, so that what is kept stays small


def render_fragment(item: RegistryObject) -> bytes:
    """One object of an answer, with holes for what the registry manages; ids must be final."""
    slots = item.slots
    update_time = ""
    if isinstance(item, Folder):
        slots = tuple([slot for slot in slots if slot.name != LAST_UPDATE_TIME])
        update_time = _MANAGED_UPDATE_TIME
    return _render(item, _MANAGED, update_time + _slots(slots), _MANAGED_VERSION, item.PATIENT_ID_SCHEME).encode()


def fill_fragment(fragment: bytes, holes: Mapping[int, bytes]) -> bytes:
    """A fragment with its holes filled; `holes` maps ord(letter) to escaped bytes."""
    filled = []
    start = 0
    while (hole := fragment.find(0, start)) >= 0:  # find is memchr, twice as fast as split here
        filled.append(fragment[start:hole])
        filled.append(holes[fragment[hole + 1]])
        start = hole + 2
    filled.append(fragment[start:])
    return b"".join(filled)


def render_object(item: RegistryObject) -> bytes:
    """One object as it stands, as a source sends it."""
    attributes = _attribute("lid", item.lid) + _attribute("status", item.status) + _attribute("home", item.home)
    version = f"<rim:VersionInfo{_attribute('versionName', item.version)}/>" if item.version is not None else ""
    return _render(item, attributes, _slots(item.slots), version, None).encode()


def render_submission(submission: Submission) -> bytes:
    """An lcm:SubmitObjectsRequest (ITI TF-3 4.2.1.4)."""
    slots = _slots(submission.request_slots)
    loose = "".join([_classification(c, escape(c.classified_object)) for c in submission.stray_classifications])
    return b"".join(
        (
            f'<lcm:SubmitObjectsRequest xmlns:lcm="{LCM}" xmlns:rim="{RIM}" xmlns:rs="{RS}">'.encode(),
            f"<rs:RequestSlotList>{slots}</rs:RequestSlotList>".encode() if slots else b"",
            b"<rim:RegistryObjectList>",
            "".join([_object_ref(reference) for reference in submission.object_refs]).encode(),
            *[render_object(item) for item in submission.objects],
            loose.encode(),
            b"</rim:RegistryObjectList></lcm:SubmitObjectsRequest>",
        )
    )


def _object_ref(reference: ObjectRef) -> str:
    return f'<rim:ObjectRef id="{escape(reference.id)}"{_attribute("home", reference.home)}/>'


def _render(item: RegistryObject, managed: str, slots: str, version: str, patient_scheme: str | None) -> str:
    """One object; the value of an identifier of `patient_scheme`, if any, becomes a hole."""
    tag, own = _tag(item)
    identifier = escape(item.id)
    classifications = [
        _classification(c, identifier if c.classified_object == item.id else escape(c.classified_object))
        for c in item.classifications
    ]
    identifiers = [
        _identifier(
            e, _MANAGED_PATIENT if patient_scheme and e.scheme == patient_scheme else _attribute("value", e.value)
        )
        for e in item.external_identifiers
    ]
    return (
        f'<rim:{tag} id="{identifier}"{managed}{_attribute("objectType", item.object_type)}{own}>{slots}'
        f"{_text('Name', item.name)}{_text('Description', item.description)}{version}"
        f"{''.join(classifications)}{''.join(identifiers)}</rim:{tag}>"
    )


def _tag(item: RegistryObject) -> tuple[str, str]:
    if isinstance(item, DocumentEntry):
        return "ExtrinsicObject", _attribute("mimeType", item.mime_type) + _attribute("isOpaque", item.is_opaque)
    if isinstance(item, Association):
        return "Association", (
            f"{_attribute('associationType', item.association_type)}{_attribute('sourceObject', item.source)}"
            f"{_attribute('targetObject', item.target)}"
        )
    return "RegistryPackage", ""


def _attribute(name: str, value: str | None) -> str:
    return "" if value is None else f' {name}="{escape(value)}"'


def _slots(slots: Iterable[Slot]) -> str:
    return "".join([_slot(slot) for slot in slots])


def _slot(slot: Slot) -> str:
    name, values, slot_type = slot
    if len(values) == 1:
        inner = f"<rim:Value>{escape(values[0])}</rim:Value>"
    else:
        inner = "".join([f"<rim:Value>{escape(value)}</rim:Value>" for value in values])
    start = _kept_slot_start(name) if slot_type is None and len(name) <= _SHORT else _slot_start(name, slot_type)
    return f"{start}{inner}</rim:ValueList></rim:Slot>"


@lru_cache(maxsize=_TAGS)
def _kept_slot_start(name: str) -> str:
    return _slot_start(name, None)


def _slot_start(name: str, slot_type: str | None) -> str:
    return f'<rim:Slot name="{escape(name)}"{_attribute("slotType", slot_type)}><rim:ValueList>'


def _text(tag: str, strings: tuple[LocalizedString, ...]) -> str:
    if not strings:
        return ""
    inner = [f'{_localized_start(lang, charset)}{escape(value)}"/>' for value, lang, charset in strings]
    return f"<rim:{tag}>{''.join(inner)}</rim:{tag}>"


def _localized_start(lang: str | None, charset: str | None) -> str:
    if len(lang or "") + len(charset or "") <= _SHORT:
        return _kept_localized_start(lang, charset)
    return _kept_localized_start.__wrapped__(lang, charset)


@lru_cache(maxsize=_TAGS)
def _kept_localized_start(lang: str | None, charset: str | None) -> str:
    return f'<rim:LocalizedString{_attribute("charset", charset)}{_attribute("xml:lang", lang)} value="'


def _classification(classification: Classification, owner: str) -> str:
    """What differs from document to document, then the code, which many documents share."""
    _, _, scheme, node, code, slots, name, description = classification
    render = _kept_code if _is_short_code(*classification[2:]) else _kept_code.__wrapped__
    return (
        f'<rim:Classification id="{escape(classification.id)}" objectType="{v.CLASSIFICATION_OBJECT}"'
        f' classifiedObject="{owner}"{render(scheme, node, code, slots, name, description)}'
    )


def _is_short_code(
    scheme: str | None,
    node: str | None,
    code: str | None,
    slots: tuple[Slot, ...],
    name: tuple[LocalizedString, ...],
    description: tuple[LocalizedString, ...],
) -> bool:
    """True for a code with its scheme and one name, all short: an author is not worth keeping."""
    if node is not None or description or not code or len(slots) != 1 or len(name) != 1 or len(slots[0].values) != 1:
        return False
    return len(scheme or "") + len(code) + len(slots[0].name) + len(slots[0].values[0]) + len(name[0].value) <= _SHORT


@lru_cache(maxsize=_TAGS)
def _kept_code(
    scheme: str | None,
    node: str | None,
    code: str | None,
    slots: tuple[Slot, ...],
    name: tuple[LocalizedString, ...],
    description: tuple[LocalizedString, ...],
) -> str:
    return (
        f"{_schemes(scheme, node)}{_attribute('nodeRepresentation', code)}>"
        f"{_slots(slots)}{_text('Name', name)}{_text('Description', description)}</rim:Classification>"
    )


def _schemes(scheme: str | None, node: str | None) -> str:
    return f"{_attribute('classificationScheme', scheme)}{_attribute('classificationNode', node)}"


def _identifier(identifier: ExternalIdentifier, value: str) -> str:
    return (
        f'<rim:ExternalIdentifier id="{escape(identifier.id)}" objectType="{v.EXTERNAL_IDENTIFIER_OBJECT}"'
        f' registryObject="{escape(identifier.registry_object)}"'
        f"{_attribute('identificationScheme', identifier.scheme)}{value}>"
        f"{_slots(identifier.slots)}{_text('Name', identifier.name)}{_text('Description', identifier.description)}"
        "</rim:ExternalIdentifier>"
    )
