"""Documents of our own making: fictitious patients, the same bytes for the same seed.

For demonstrations, tests and benchmarks where no real examples are at hand.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID
from xml.sax.saxutils import escape

from ..model.datatypes import Author, Code
from .cda import read_cda
from .cda_codes import DEFAULT_CLASS, DEFAULT_FORMAT
from .submission import make_oid
from .values import DocumentMetadata, DocumentToSubmit

PATIENT_AUTHORITY: Final = "2.25.245017186120486361923742178429871734652"
SOURCE_ID: Final = "2.25.114590842263920637112390184771240016834"
_PERSON_AUTHORITY: Final = "1.2.250.1.71.4.2.1"
PLACE_ID: Final = "2.25.55555555555555555"  # of the organisation of throw-away assertions (pki.py): it has written all
_LOINC: Final = "2.16.840.1.113883.6.1"
_FIRST_DAY: Final = datetime(2024, 1, 8, 8, 30)  # noqa: DTZ001  local time of the practice; rendered with its offset

_FAMILIES: Final = ("ARBRELAC", "BOISVERT", "CLAIRVAL", "DUPRAYE", "ESTIVAN", "FONTRELLE", "GRANDORGE", "HAUTBOIS")
_GIVEN: Final = (("Alix", "F"), ("Basile", "M"), ("Clémence", "F"), ("Désiré", "M"), ("Élodie", "F"), ("Firmin", "M"))
_DOCTORS: Final = (("Jeanne", "SAULEVENT"), ("Marius", "TERREBLANC"), ("Ninon", "VALCLAIR"), ("Octave", "ROCHEBRUNE"))
# The user of throw-away assertions (pki.py)
USER: Final = Author(person="^Martin^Claire", institutions=(f"Cabinet Martin^^^^^^^^^{PLACE_ID}",))
_PLACES: Final = (
    "Cabinet des Trois Tilleuls",
    "Clinique du Pont Neuf",
    "Maison de santé de l'Orée",
    "Centre du Vieux Moulin",
)


class _Kind(NamedTuple):
    """A kind of document: type, template, facility, practice setting, act and the sections of its body."""

    code: Code
    template: str
    facility: Code
    practice: Code
    act: Code
    sections: tuple[tuple[str, tuple[str, ...]], ...]


_CABINET: Final = Code("SA07", "1.2.250.1.71.4.2.4", "Cabinet individuel")
_HOSPITAL: Final = Code("SA01", "1.2.250.1.71.4.2.4", "Établissement public de santé")
_LABORATORY: Final = Code("SA25", "1.2.250.1.71.4.2.4", "Laboratoire de biologie")
_AMBULATORY: Final = Code("AMBULATOIRE", "1.2.250.1.213.1.1.4.9", "Ambulatoire")
_STAY: Final = Code("ETABLISSEMENT", "1.2.250.1.213.1.1.4.9", "Établissement de santé")

_KINDS: Final = (
    _Kind(
        Code("60591-5", _LOINC, "Synthèse médicale"),
        "1.2.250.1.213.1.1.1.13",
        _CABINET,
        _AMBULATORY,
        Code("34117-2", _LOINC, "Historique et examen"),
        (
            ("Problèmes en cours", ("Hypertension artérielle traitée", "Asthme intermittent", "Lombalgie mécanique")),
            ("Traitements", ("Ramipril 5 mg le matin", "Salbutamol à la demande", "Paracétamol 1 g si douleur")),
            ("Allergies", ("Aucune connue", "Pénicilline : éruption en 2009")),
        ),
    ),
    _Kind(
        Code("11502-2", _LOINC, "Compte rendu de biologie"),
        "1.2.250.1.213.1.1.1.55",
        _LABORATORY,
        _AMBULATORY,
        Code("18719-5", _LOINC, "Biochimie"),
        (
            ("Glycémie à jeun", ("5,1 mmol/L (3,9 à 6,1)", "6,8 mmol/L (3,9 à 6,1)")),
            ("TSH", ("2,4 mUI/L (0,4 à 4,0)", "1,1 mUI/L (0,4 à 4,0)")),
        ),
    ),
    _Kind(
        Code("11490-0", _LOINC, "Lettre de liaison de sortie"),
        "1.2.250.1.213.1.1.1.29",
        _HOSPITAL,
        _STAY,
        Code("IMP", "2.16.840.1.113883.5.4", "Hospitalisation"),
        (
            ("Motif", ("Pneumopathie basale droite", "Fracture du poignet gauche")),
            ("Évolution", ("Favorable, apyrexie au troisième jour", "Simple, retour au domicile")),
            ("Suite", ("Contrôle radiologique à six semaines", "Consultation dans un mois")),
        ),
    ),
    _Kind(
        Code("57833-6", _LOINC, "Prescription de médicaments"),
        "1.2.250.1.213.1.1.1.39",
        _CABINET,
        _AMBULATORY,
        Code("57833-6", _LOINC, "Prescription"),
        (("Ordonnance", ("Amoxicilline 1 g, deux fois par jour, six jours", "Vitamine D 80 000 UI, une dose")),),
    ),
    _Kind(
        Code("18748-4", _LOINC, "Compte rendu d'imagerie"),
        "1.2.250.1.213.1.1.1.45",
        _HOSPITAL,
        _STAY,
        Code("24727-0", _LOINC, "Scanner du crâne"),
        (
            ("Technique", ("Acquisition hélicoïdale sans injection", "Radiographie de face et de profil")),
            ("Conclusion", ("Pas d'anomalie décelable", "Image à contrôler dans trois mois")),
        ),
    ),
)


def patient_id(number: int, prefix: str = "DEMO") -> str:
    """A fictitious patient as a CX."""
    return f"{prefix}{number:06d}^^^&{PATIENT_AUTHORITY}&ISO"


def make_samples(count: int, *, seed: int = 1, size: int = 0) -> tuple[DocumentToSubmit, ...]:
    """CDA documents of several kinds, each of at least `size` bytes, then a text and a PDF; the first is CDA.

    >>> [d.metadata.mime_type for d in make_samples(3)]
    ['text/xml', 'text/plain', 'application/pdf']
    """
    chance = random.Random(seed)  # noqa: S311  samples must be the same each time
    others = (_make_text, _make_pdf)
    cda = tuple(_make_cda(chance, number, size) for number in range(max(1, count - len(others)) if count else 0))
    return cda + tuple(make(chance, number) for number, make in enumerate(others[: count - len(cda)]))


def make_sample(*, seed: int = 1, size: int = 0) -> DocumentToSubmit:
    """One CDA document of at least `size` bytes."""
    return make_samples(1, seed=seed, size=size)[0]


def write_samples(folder: Path, documents: Sequence[DocumentToSubmit]) -> tuple[DocumentToSubmit, ...]:
    """The same documents with their bytes in files of a folder."""
    written = []
    for number, document in enumerate(documents, 1):
        path = folder / f"sample-{number:03d}{_SUFFIXES[document.metadata.mime_type or '']}"
        path.write_bytes(document.content if isinstance(document.content, bytes) else document.content.read_bytes())
        written.append(replace(document, content=path))
    return tuple(written)


_SUFFIXES: Final = {"text/xml": ".xml", "text/plain": ".txt", "application/pdf": ".pdf"}


def _make_cda(chance: random.Random, number: int, size: int) -> DocumentToSubmit:
    content = _render_cda(chance, _KINDS[number % len(_KINDS)], size).encode()
    return DocumentToSubmit(content=content, metadata=read_cda(content).metadata)


def _render_cda(chance: random.Random, kind: _Kind, size: int) -> str:
    written = _FIRST_DAY + timedelta(minutes=chance.randrange(600_000))
    given, gender = chance.choice(_GIVEN)
    (doctor_given, doctor_family), place = chance.choice(_DOCTORS), chance.choice(_PLACES)
    person = (
        f'<id root="{_PERSON_AUTHORITY}" extension="80{chance.randrange(10**10):010d}"/>'
        '<code code="G15_10/SM26" codeSystem="1.2.250.1.213.1.1.4.5" displayName="Médecin généraliste"/>'
        f"<assignedPerson><name><given>{doctor_given}</given><family>{doctor_family}</family></name></assignedPerson>"
        f'<representedOrganization><id root="{PLACE_ID}"/>'
        f"<name>{escape(place)}</name>{_coded('standardIndustryClassCode', kind.practice)}</representedOrganization>"
    )
    stamp = written.strftime("%Y%m%d%H%M%S+0100")
    head = f"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
<realmCode code="FR"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<templateId root="2.16.840.1.113883.2.8.2.1"/><templateId root="1.2.250.1.213.1.1.1.1"/>
<templateId root="{kind.template}"/>
<id root="{_make_oid(chance)}"/>{_coded("code", kind.code)}<title>{escape(kind.code.display)}</title>
<effectiveTime value="{stamp}"/>{_coded("confidentialityCode", _NORMAL)}<languageCode code="fr-FR"/>
<setId root="{_make_oid(chance)}"/><versionNumber value="1"/>
<recordTarget><patientRole><id root="{PATIENT_AUTHORITY}" extension="SAMPLE{chance.randrange(10**6):06d}"/>
<patient><name><family qualifier="BR">{chance.choice(_FAMILIES)}</family><given qualifier="BR">{given}</given></name>
<administrativeGenderCode code="{gender}" codeSystem="2.16.840.1.113883.5.1"/>
<birthTime value="{chance.randrange(1930, 2020)}0{chance.randrange(1, 10)}1{chance.randrange(10)}"/></patient>
</patientRole></recordTarget>
<author><time value="{stamp}"/><assignedAuthor>{person}</assignedAuthor></author>
<custodian><assignedCustodian><representedCustodianOrganization><name>{escape(place)}</name>
</representedCustodianOrganization></assignedCustodian></custodian>
<legalAuthenticator><time value="{stamp}"/><signatureCode code="S"/><assignedEntity>{person}</assignedEntity>
</legalAuthenticator>
<documentationOf><serviceEvent>{_coded("code", kind.act)}<effectiveTime><low value="{stamp}"/></effectiveTime>
<performer typeCode="PRF"><assignedEntity>{person}</assignedEntity></performer></serviceEvent></documentationOf>
<componentOf><encompassingEncounter><effectiveTime><low value="{stamp}"/></effectiveTime><location><healthCareFacility>
{_coded("code", kind.facility)}</healthCareFacility></location></encompassingEncounter></componentOf>
<component><structuredBody>
"""
    sections = [_section(title, chance.choice(texts)) for title, texts in kind.sections]
    length = len(head.encode()) + len(_TAIL) + sum(len(s.encode()) for s in sections)
    while length < size:
        sections.append(_section("Observation", _sentence(chance)))
        length += len(sections[-1].encode())
    return head + "".join(sections) + _TAIL


_TAIL: Final = "</structuredBody></component>\n</ClinicalDocument>\n"
_NORMAL: Final = Code("N", "2.16.840.1.113883.5.25", "Normal")


def _section(title: str, text: str) -> str:
    return f"<component><section><title>{escape(title)}</title><text>{escape(text)}</text></section></component>\n"


def _sentence(chance: random.Random) -> str:
    """A line that does not compress away: a finding and a made-up measure."""
    return f"Mesure {chance.randrange(10**6)} : {chance.random():.6f} ; référence {chance.getrandbits(64):016x}."


def _coded(tag: str, code: Code) -> str:
    return f'<{tag} code="{code.code}" codeSystem="{code.scheme}" displayName="{escape(code.display)}"/>'


def _make_oid(chance: random.Random) -> str:
    return make_oid(UUID(int=chance.getrandbits(128), version=4))


def _make_text(chance: random.Random, number: int) -> DocumentToSubmit:
    lines = ["Note de consultation", "", *(_sentence(chance) for _ in range(20)), ""]
    return DocumentToSubmit(
        content="\r\n".join(lines).encode(), metadata=_plain_metadata(chance, "Note de consultation", "text/plain")
    )


def _make_pdf(chance: random.Random, number: int) -> DocumentToSubmit:
    return DocumentToSubmit(
        content=_render_pdf([_sentence(chance).encode("ascii", "replace").decode() for _ in range(20)]),
        metadata=_plain_metadata(chance, "Courrier numérisé", "application/pdf"),
    )


def _render_pdf(lines: Sequence[str]) -> bytes:
    """A PDF of one page (ISO 32000-1, 7.5): header, five objects, cross-reference table."""
    shown = "BT /F1 10 Tf 50 800 Td 14 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>> >>",
        f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    data = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{content}\nendobj\n".encode("ascii")
    rows = "".join(f"{place:010d} 00000 n \n" for place in places)
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{rows}"
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    return data + (table + trailer).encode("ascii")


def _plain_metadata(chance: random.Random, title: str, mime_type: str) -> DocumentMetadata:
    given, family = chance.choice(_DOCTORS)
    written = _FIRST_DAY + timedelta(minutes=chance.randrange(600_000))
    return DocumentMetadata(
        title=title,
        mime_type=mime_type,
        unique_id=_make_oid(chance),
        creation_time=written.strftime("%Y%m%d%H%M%S"),
        language_code="fr-FR",
        class_code=DEFAULT_CLASS,
        type_code=Code("11488-4", _LOINC, "Note de consultation"),
        format_code=DEFAULT_FORMAT,
        healthcare_facility_type_code=_CABINET,
        practice_setting_code=_AMBULATORY,
        confidentiality_codes=(_NORMAL,),
        authors=(Author(person=f"^{family}^{given}", institutions=(f"{chance.choice(_PLACES)}^^^^^^^^^{PLACE_ID}",)),),
    )
