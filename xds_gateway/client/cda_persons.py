"""Persons, institutions and patients of a CDA header as the HL7 v2 strings of metadata (ITI TF-3 Table 4.2.3.1.7-2)."""

from typing import Final

from lxml import etree

from ..model.datatypes import Author

V3: Final = "{urn:hl7-org:v3}"
_ESCAPES: Final = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"})

# roots of national patient identifiers (INS): real by number of registration, real waiting, test, demonstration
INS_ROOTS: Final = ("1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9", "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11")
# authority, what follows it in XCN: name type and identifier type
_PERSON_TYPES: Final = {"1.2.250.1.71.4.2.1": "^D^^^IDNPS"} | dict.fromkeys(INS_ROOTS, "^D^^^NH")


def find(parent: etree._Element | None, path: str) -> etree._Element | None:
    """The first descendant by a path of local names of HL7 v3, as `assignedPerson/name`; None when there is none."""
    return None if parent is None else parent.find("/".join(V3 + step for step in path.split("/")))


def find_all(parent: etree._Element | None, path: str) -> list[etree._Element]:
    """All descendants by a path of local names of HL7 v3."""
    return [] if parent is None else parent.findall("/".join(V3 + step for step in path.split("/")))


def text_of(element: etree._Element | None) -> str:
    """The whole text of an element with single spaces; empty when there is no element."""
    return "" if element is None else " ".join("".join(map(str, element.itertext())).split())


def attribute(element: etree._Element | None, name: str) -> str | None:
    """An attribute without surrounding white space; None when the element or its value is absent."""
    return None if element is None else element.get(name, "").strip() or None


def render_author(author: etree._Element) -> Author:
    """An author of a document: person or device, institution, role and specialty (ITI TF-3 4.2.3.2.1)."""
    assigned = find(author, "assignedAuthor")
    function = find(author, "functionCode")
    institutions = tuple(filter(None, map(render_xon, find_all(assigned, "representedOrganization"))))
    role = attribute(function, "displayName")
    return Author(
        person=_device(assigned) or render_xcn(assigned),
        institutions=institutions,
        roles=(role,) if role else (),
        specialties=tuple(filter(None, (_specialty(find(assigned, "code")),))),
    )


def render_xcn(assigned: etree._Element | None) -> str | None:
    """An assigned person as XCN `id^family^given^^^prefix^^^&authority&ISO`; None when neither id nor name is known."""
    name = _first_named(find_all(assigned, "assignedPerson/name"))
    return _xcn(find(assigned, "id"), _part(name, "family"), _part(name, "given"))


def _device(assigned: etree._Element | None) -> str | None:
    device = find(assigned, "assignedAuthoringDevice")
    if device is None:
        return None
    software, model = text_of(find(device, "softwareName")), text_of(find(device, "manufacturerModelName"))
    return _xcn(find(assigned, "id"), software or model, model if software else "")


def _xcn(identifier: etree._Element | None, family: str, given: str) -> str | None:
    extension, root = attribute(identifier, "extension"), attribute(identifier, "root")
    head = "^".join((_escaped(extension or ""), _escaped(family), _escaped(given)))
    if not head.strip("^"):
        return None
    if not (extension and root):
        return head.rstrip("^")
    return f"{head}^^^^^^&{root}&ISO{_PERSON_TYPES.get(root, '')}"


def render_xon(organization: etree._Element) -> str | None:
    """An organization as XON `name^^^^^&authority&ISO^^^^id`, or with its OID as id; None without a name."""
    name = text_of(find(organization, "name"))
    identifier = find(organization, "id")
    extension, root = attribute(identifier, "extension"), attribute(identifier, "root")
    if not name:
        return None
    if extension and root:
        return f"{_escaped(name)}^^^^^&{root}&ISO^^^^{_escaped(extension)}"
    return f"{_escaped(name)}^^^^^^^^^{root}" if root else _escaped(name)


def _specialty(code: etree._Element | None) -> str | None:
    value = attribute(code, "code")
    if value is None:
        return None
    return f"{_escaped(value)}^{_escaped(attribute(code, 'displayName') or '')}^{attribute(code, 'codeSystem') or ''}"


def render_patient_ids(role: etree._Element | None) -> tuple[str, ...]:
    """The patient's identifiers as CX, a national one first (ITI TF-3 4.2.3.2.16)."""
    pairs = [(attribute(i, "extension"), attribute(i, "root")) for i in find_all(role, "id")]
    known = [(extension, root) for extension, root in pairs if extension and root]
    known.sort(key=lambda pair: pair[1] not in INS_ROOTS)
    return tuple(f"{_escaped(extension)}^^^&{root}&ISO" for extension, root in known)


def render_patient_info(role: etree._Element | None) -> tuple[str, ...]:
    """Names, birth and gender as sourcePatientInfo, `PID-n|...` (ITI TF-3 4.2.3.2.23)."""
    patient = find(role, "patient")
    names = [_patient_name(name) for name in find_all(patient, "name")]
    birth = attribute(find(patient, "birthTime"), "value")
    gender = attribute(find(patient, "administrativeGenderCode"), "code")
    rows = (
        *(f"PID-5|{name}" for name in names if name),
        f"PID-7|{birth[:8]}" if birth else "",
        f"PID-8|{_GENDERS.get(gender, 'U')}" if gender else "",
    )
    return tuple(filter(None, rows))


_GENDERS: Final = {"M": "M", "F": "F", "UN": "O"}


def _patient_name(name: etree._Element) -> str:
    family, given = _part(name, "family"), _part(name, "given")
    return f"{_escaped(family)}^{_escaped(given)}^^^^^L" if family or given else ""


def _first_named(names: list[etree._Element]) -> etree._Element | None:
    return names[0] if names else None


def _part(name: etree._Element | None, part: str) -> str:
    """A name part: that of birth when qualified, else the first; a name without parts stands for the family."""
    parts = find_all(name, part)
    chosen = next((p for p in parts if p.get("qualifier") == "BR"), parts[0] if parts else None)
    if chosen is None and part == "family" and name is not None and not len(name):
        return text_of(name)
    return text_of(chosen)


def _escaped(value: str) -> str:
    return value.translate(_ESCAPES)
