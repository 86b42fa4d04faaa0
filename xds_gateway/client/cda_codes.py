"""Which class and which format a French CDA document has, by its type and its template.

Facts of the national terminologies: associations type to class and template to format (value sets of ANS,
1.2.250.1.213.1.1.5.587 and the format list 1.2.250.1.213.1.1.5.8), names in our own words.
"""

from typing import Final

from ..model.datatypes import Code

CLASS_SCHEME: Final = "1.2.250.1.213.1.1.4.1"
FRENCH_FORMAT_SCHEME: Final = "1.2.250.1.213.1.1.4.2.282"
IHE_FORMAT_SCHEME: Final = "1.3.6.1.4.1.19376.1.2.3"
FRENCH_HEADER_TEMPLATE: Final = "1.2.250.1.213.1.1.1.1"

# class   name                          types that belong to it
_CLASSES: Final = (
    (
        "10",
        "Compte rendu",
        """10213-7 11488-4 11490-0 11493-4 11502-2 11505-5 11506-3 11526-1 11528-7 15507-7 15508-5 24611-6 27899-4
        28617-9 28653-4 29274-8 29554-3 34112-3 34120-6 34749-2 34794-8 34874-8 34875-5 39256-3 46241-6 47420-5
        51969-4 59283-2 60568-3 67851-6 70004-7 75482-0 75492-9 75496-0 75497-8 77436-4 78513-9 78601-2 83981-1
        85208-7 89233-1 93024-8 96349-6 BIL_AUTO DOCPAT03 DOCPAT05 DOCPAT06""",
    ),
    (
        "11",
        "Synthèse",
        """18761-7 34133-9 34842-5 56445-0 57055-6 57057-2 57075-4 60280-5 60591-5 68599-0 68817-6 74207-2 78341-5
        78489-2 80820-4 83836-7 83901-9 88348-8 89235-6 SYNTH EXPORT_DUI DOCPAT01 DOCPAT08""",
    ),
    ("31", "Imagerie", "18748-4 52040-3 IMG-KOS DOCPAT04"),
    (
        "42",
        "Prescription",
        """29551-9 52063-5 52521-2 55115-0 57828-6 57832-8 57833-6 61357-0 75468-9 PRESC-AAT PRESC-BIO PRESC-KINE
        PRESC-INF PRESC-PEDI PRESC-ORTHOPHO PRESC-ORTHOPTIE DOCPAT02""",
    ),
    ("43", "Dispensation", "29550-1 60593-1 DISP_AUT"),
    ("44", "Plan de soins ou protocole", "18776-5 77604-7 80771-9 80788-3 83869-8 PROT_ALD"),
    ("45", "Traitement administré", "80565-5"),
    ("52", "Certificat ou déclaration", "11369-6 87273-9 89601-9 96173-0 96874-3 CERT_DECL DOCPAT07"),
    ("60", "Données de remboursement", "REMB"),
    ("90", "Autre document du patient", "74465-6 EXPPAT_1 EXPPAT_2 EXPPAT_3"),
    (
        "95",
        "Document de gestion",
        """51851-4 56446-8 59284-0 86531-1 AUTORIS-SOINS ATTEST-RESID ATTEST-DROITS-AM ATTEST-ASS-COMPL ATTEST-HEBGT
        CONTACTS-URGENCE DOCPAT09""",
    ),
)
CLASS_OF_TYPE: Final = {
    type_code: Code(code, CLASS_SCHEME, name) for code, name, types in _CLASSES for type_code in types.split()
}
# A type that no table knows is filed as a report.
DEFAULT_CLASS: Final = Code("10", CLASS_SCHEME, "Compte rendu")

_ANS: Final = "1.2.250.1.213.1.1.1."
# template below 1.2.250.1.213.1.1.1, format
_FRENCH_TEMPLATES: Final = (
    ("2.1.1", "urn:asip:ci-sis:avk:2009"),
    ("2.1.2", "urn:asip:ci-sis:tap:2009"),
    ("2.1.3", "urn:asip:ci-sis:dci:2009"),
    ("2.1.4", "urn:asip:ci-sis:psc:2009"),
    ("2.1.5", "urn:asip:ci-sis:ppv:2009"),
    ("5.1", "urn:asip:ci-sis:cse-cs8:2017"),
    ("5.2", "urn:asip:ci-sis:cse-cs9:2017"),
    ("5.3", "urn:asip:ci-sis:cse-cs24:2017"),
    ("5.4", "urn:ans:ci-sis:cse-mde:2023"),
    ("8", "urn:asip:ci-sis:frcp:2011"),
    ("9", "urn:asip:ci-sis:idap:2011"),
    ("10", "urn:asip:ci-sis:cva:2017"),
    ("12.1", "urn:asip:ci-sis:obp-sap:2023"),
    ("12.2", "urn:asip:ci-sis:obp-snm:2023"),
    ("12.3", "urn:asip:ci-sis:obp-sne:2023"),
    ("12.4", "urn:asip:ci-sis:obp-scm:2023"),
    ("12.5", "urn:asip:ci-sis:obp-sem:2023"),
    ("13", "urn:asip:ci-sis:vsm:2012"),
    ("15", "urn:asip:ci-sis:aunv:2013"),
    ("16", "urn:asip:ci-sis:eunv:2013"),
    ("17", "urn:asip:ci-sis:sunv:2013"),
    ("18", "urn:asip:ci-sis:crrtn:2013"),
    ("20", "urn:asip:ci-sis:pps-paerpa:2017"),
    ("21", "urn:asip:ci-sis:ldl-ees:2017"),
    ("22", "urn:asip:ci-sis:dlu:2015"),
    ("23", "urn:asip:ci-sis:fludt:2017"),
    ("24", "urn:asip:ci-sis:fludr:2017"),
    ("25", "urn:asip:ci-sis:pavc:2016"),
    ("26", "urn:asip:ci-sis:pps-cancer:2017"),
    ("27", "urn:asip:ci-sis:d2lm-fin:2017"),
    ("28", "urn:asip:ci-sis:d2lm-fidd:2017"),
    ("29", "urn:asip:ci-sis:ldl-ses:2017"),
    ("30", "urn:asip:ci-sis:sdm-mr:2017"),
    ("32", "urn:asip:ci-sis:crgm:2018"),
    ("36", "urn:asip:ci-sis:hr:2019"),
    ("37", "urn:asip:ci-sis:vac:2019"),
    ("38", "urn:asip:ci-sis:tlm-da:2020"),
    ("39", "urn:ihe:pharm:pre:2010"),
    ("40", "urn:asip:ci-sis:cr-anest:2020"),
    ("41", "urn:asip:ci-sis:cr-cpa:2020"),
    ("42", "urn:ihe:eyecare:geneyeevalcn:2014"),
    ("43", "urn:ihe:eyecare:geneyeevalcn:2014"),
    ("44", "urn:ihe:eyecare:geneyeevalcn:2014"),
    ("45", "urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013"),
    ("46", "urn:asip:ci-sis:vac-note:2021"),
    ("47", "urn:ans:ci-sis:img-da:2022"),
    ("48", "urn:asip:ci-sis:dlu-dlu-dom:2022"),
    ("49", "urn:asip:ci-sis:dlu-fludt-dom:2022"),
    ("50", "urn:asip:ci-sis:dlu-fludr-dom:2022"),
    ("51", "urn:ihe:pcc:ips:2020"),
    ("52", "urn:ans:ci-sis:bio-ep-bio:2022"),
    ("54", "urn:ihe:pharm:dis:2010"),
    ("55", "urn:ihe:lab:xd-lab:2008"),
    ("56", "urn:asip:ci-sis:ppp:2023"),
    ("57", "urn:ihe:palm:apsr:2016"),
    ("58", "urn:asip:ci-sis:export-dui:2023"),
    ("59", "urn:ans:ci-sis:trod:2024"),
)
FORMAT_OF_TEMPLATE: Final = {_ANS + tail: format_code for tail, format_code in _FRENCH_TEMPLATES} | {
    # templates of IHE itself
    "1.3.6.1.4.1.19376.1.3.3": "urn:ihe:lab:xd-lab:2008",
    "1.3.6.1.4.1.19376.1.5.3.1.1.2": "urn:ihe:pcc:xds-ms:2007",
    "1.3.6.1.4.1.19376.1.5.3.1.1.18.1.2": "urn:ihe:pcc:ic:2009",
    "1.3.6.1.4.1.19376.1.9.1.1.1": "urn:ihe:pharm:pre:2010",
}

# media type of an unstructured body, format (ITI TF-3 5.1 XDS-SD and its French extensions)
FORMAT_OF_MEDIA: Final = {
    "application/pdf": "urn:ihe:iti:xds-sd:pdf:2008",
    "text/plain": "urn:ihe:iti:xds-sd:text:2008",
    "text/rtf": "urn:ihe:iti-fr:xds-sd:rtf:2010",
    "image/jpeg": "urn:ihe:iti-fr:xds-sd:jpeg:2010",
    "image/tiff": "urn:ihe:iti-fr:xds-sd:tiff:2010",
}

# A CDA document of a template that no table knows, with the French header and without.
FRENCH_DEFAULT_FORMAT: Final = Code("urn:asipSante:modelesHorsProfils:2011", FRENCH_FORMAT_SCHEME, "Hors profils")
DEFAULT_FORMAT: Final = Code("urn:ihe:iti:xds:2017:mimeTypeSufficient", IHE_FORMAT_SCHEME, "mimeType Sufficient")


def find_format(templates: tuple[str, ...], body_media_type: str | None) -> Code:
    """The formatCode of a CDA document: by its body's media type when unstructured, else by its last known template."""
    known = FORMAT_OF_MEDIA.get(body_media_type or "") or next(
        (FORMAT_OF_TEMPLATE[t] for t in reversed(templates) if t in FORMAT_OF_TEMPLATE), None
    )
    if known is None:
        return FRENCH_DEFAULT_FORMAT if FRENCH_HEADER_TEMPLATE in templates else DEFAULT_FORMAT
    scheme = IHE_FORMAT_SCHEME if known.startswith("urn:ihe:") else FRENCH_FORMAT_SCHEME
    return Code(known, scheme, known.split(":")[-2])


def find_class(type_code: Code) -> Code:
    """The classCode that a typeCode belongs to; a report when no table knows it."""
    return CLASS_OF_TYPE.get(type_code.code, DEFAULT_CLASS)
