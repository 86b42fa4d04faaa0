"""The schemas tell conformant messages from others, and all that the codec renders is conformant."""

import pytest
from lxml import etree

from tests.unit.builders import make_entry, make_folder, make_parts, make_set, make_submission
from xds_gateway import contracts
from xds_gateway.codec import ebrim, xdsb
from xds_gateway.model.errors import ErrorCode, Finding
from xds_gateway.model.messages import (
    DocumentRequest,
    ProvideRequest,
    QueryRequest,
    QueryResponse,
    RegistryResponse,
    RetrievedDocument,
    RetrieveRequest,
    RetrieveResponse,
    StoredDocument,
)

RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"

SCHEMA_OF = {
    "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0": "lcm.xsd",
    "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0": "query.xsd",
    "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0": "rs.xsd",
    "urn:ihe:iti:xds-b:2007": "XDS.b_DocumentRepository.xsd",
}

CLASSIFICATION = (
    '<rim:Classification id="c1" classifiedObject="Document01" nodeRepresentation="11488-4"'
    ' classificationScheme="urn:uuid:f0306f51-975f-434e-a61c-c59651d33983">'
    '<rim:Slot name="codingScheme"><rim:ValueList><rim:Value>2.16.840.1.113883.6.1</rim:Value></rim:ValueList>'
    "</rim:Slot>"
    '<rim:Name><rim:LocalizedString xml:lang="fr-FR" charset="UTF-8" value="Compte rendu"/></rim:Name>'
    "</rim:Classification>"
)
IDENTIFIER = (
    '<rim:ExternalIdentifier id="x1" registryObject="Document01" value="1.2.3"'
    ' identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"/>'
)
ENTRY = (
    '<rim:ExtrinsicObject id="Document01" mimeType="text/xml" lid="urn:uuid:1" home="urn:oid:1.2" status="urn:s"'
    ' objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">'
    '<rim:Slot name="urn:vendor:extra" slotType="urn:t"><rim:ValueList><rim:Value>a</rim:Value></rim:ValueList>'
    "</rim:Slot>"
    '<rim:Name/><rim:Description/><rim:VersionInfo versionName="1"/>'
    + CLASSIFICATION
    + IDENTIFIER
    + "</rim:ExtrinsicObject>"
)
PACKAGE = '<rim:RegistryPackage id="SubmissionSet01"><rim:RegistryObjectList/></rim:RegistryPackage>'
ASSOCIATION = (
    '<rim:Association id="a1" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"'
    ' sourceObject="SubmissionSet01" targetObject="Document01"/>'
)


def submit(*objects):
    return (
        f'<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns:rim="{RIM}">'
        f"<rim:RegistryObjectList>{''.join(objects)}</rim:RegistryObjectList></lcm:SubmitObjectsRequest>"
    )


def query(content="", **attributes):
    given = "".join(f' {name}="{value}"' for name, value in {"returnType": "LeafClass", **attributes}.items())
    return (
        f'<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="{RIM}">'
        f'<query:ResponseOption{given}/><rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d">'
        f"{content}</rim:AdhocQuery></query:AdhocQueryRequest>"
    )


def found(*objects, status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"):
    return (
        f'<query:AdhocQueryResponse xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="{RIM}"'
        f' status="{status}"><rim:RegistryObjectList>{"".join(objects)}</rim:RegistryObjectList>'
        "</query:AdhocQueryResponse>"
    )


def refused(error='codeContext="why" errorCode="XDSRegistryError"'):
    return (
        '<rs:RegistryResponse xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" status="urn:f">'
        f'<rs:RegistryErrorList highestSeverity="urn:e"><rs:RegistryError {error}/></rs:RegistryErrorList>'
        "</rs:RegistryResponse>"
    )


def planned():
    slot = '<rim:Slot name="urn:x:register"><rim:ValueList><rim:Value>a b</rim:Value></rim:ValueList></rim:Slot>'
    return refused().replace(
        "<rs:RegistryErrorList",
        f'<rs:ResponseSlotList xmlns:rim="{RIM}">{slot}</rs:ResponseSlotList><rs:RegistryErrorList',
        1,
    )


def xds(root, content):
    return f'<xds:{root} xmlns:xds="urn:ihe:iti:xds-b:2007">{content}</xds:{root}>'


def provide(document='<xds:Document id="Document01">aGVsbG8=</xds:Document>'):
    return xds("ProvideAndRegisterDocumentSetRequest", submit(ENTRY, PACKAGE, ASSOCIATION) + document)


def documents(tag, *children):
    content = "".join(f"<xds:{name}>{value}</xds:{name}>" for name, value in children)
    return f"<xds:{tag}>{content}</xds:{tag}>"


WANTED = (("RepositoryUniqueId", "1.2"), ("DocumentUniqueId", "1.2.3"))
RETURNED = (*WANTED, ("mimeType", "text/xml"), ("Document", "aGVsbG8="))
DONE = '<rs:RegistryResponse xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" status="urn:s"/>'
NEW = (("NewRepositoryUniqueId", "1.5"), ("NewDocumentUniqueId", "1.5.6"))

CONFORMANT = {
    "a submission": (
        "lcm.xsd",
        submit(ENTRY, PACKAGE, CLASSIFICATION, ASSOCIATION, '<rim:ObjectRef id="urn:uuid:2"/>'),
    ),
    "an empty list of request slots": ("lcm.xsd", submit().replace("<rim:R", "<rs:RequestSlotList/><rim:R", 1)),
    "a stored query": (
        "query.xsd",
        query(
            '<rim:Slot name="$XDSDocumentEntryPatientId">'
            "<rim:ValueList><rim:Value>x</rim:Value></rim:ValueList></rim:Slot>"
        ),
    ),
    "found objects": ("query.xsd", found(ENTRY, PACKAGE, ASSOCIATION)),
    "found references": ("query.xsd", found('<rim:ObjectRef id="urn:uuid:2" home="urn:oid:1.2"/>')),
    "an outcome with errors": ("rs.xsd", refused()),
    "an outcome of a dry run": ("rs.xsd", planned()),
    "documents provided": ("XDS.b_DocumentRepository.xsd", provide()),
    "an empty document": ("XDS.b_DocumentRepository.xsd", provide('<xds:Document id="Document01"/>')),
    "no document": ("XDS.b_DocumentRepository.xsd", provide("")),
    "documents asked for": (
        "XDS.b_DocumentRepository.xsd",
        xds("RetrieveDocumentSetRequest", documents("DocumentRequest", ("HomeCommunityId", "urn:oid:1"), *WANTED) * 2),
    ),
    "documents returned": (
        "XDS.b_DocumentRepository.xsd",
        xds("RetrieveDocumentSetResponse", DONE + documents("DocumentResponse", *RETURNED)),
    ),
    "an on-demand document returned": (
        "XDS.b_DocumentRepository.xsd",
        xds("RetrieveDocumentSetResponse", DONE + documents("DocumentResponse", *RETURNED[:2], *NEW, *RETURNED[2:])),
    ),
    "nothing returned": ("XDS.b_DocumentRepository.xsd", xds("RetrieveDocumentSetResponse", DONE)),
}
NONCONFORMANT = {
    "an entry without id": ("lcm.xsd", submit(ENTRY.replace('id="Document01" ', "", 1))),
    "a slot without name": ("lcm.xsd", submit(ENTRY.replace(' name="urn:vendor:extra"', ""))),
    "a name after the classifications": (
        "lcm.xsd",
        submit(ENTRY.replace("<rim:Name/>", "").replace("</rim:Extr", "<rim:Name/></rim:Extr")),
    ),
    "an association without target": ("lcm.xsd", submit(ASSOCIATION.replace(' targetObject="Document01"', ""))),
    "an identifier without scheme": ("lcm.xsd", submit(IDENTIFIER.replace("identificationScheme", "scheme"))),
    "a list member named by xsi:type": (
        "lcm.xsd",
        submit(
            '<rim:Identifiable xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            ' id="Document01" xsi:type="rim:ExtrinsicObjectType"/>'
        ),
    ),
    "no list of objects": (
        "lcm.xsd",
        '<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"/>',
    ),
    "a return type that is none": ("query.xsd", query(returnType="Everything")),
    "an outcome without status": ("rs.xsd", DONE.replace(' status="urn:s"', "")),
    "an error without code": ("rs.xsd", refused('codeContext="why"')),
    "a document without id": ("XDS.b_DocumentRepository.xsd", provide("<xds:Document>aGVsbG8=</xds:Document>")),
    "a document that is not base64": (
        "XDS.b_DocumentRepository.xsd",
        provide('<xds:Document id="Document01">aGVsb</xds:Document>'),
    ),
    "no document asked for": ("XDS.b_DocumentRepository.xsd", xds("RetrieveDocumentSetRequest", "")),
    "a document of no repository": (
        "XDS.b_DocumentRepository.xsd",
        xds("RetrieveDocumentSetRequest", documents("DocumentRequest", WANTED[1])),
    ),
    "a document returned without mimeType": (
        "XDS.b_DocumentRepository.xsd",
        xds("RetrieveDocumentSetResponse", DONE + documents("DocumentResponse", *WANTED, RETURNED[-1])),
    ),
}


def is_valid(schema, message):
    if "xmlns:rs=" not in message:
        message = message.replace(" xmlns:", ' xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" xmlns:', 1)
    return etree.XMLSchema(file=str(contracts.schema_path(schema))).validate(etree.fromstring(message))


@pytest.mark.parametrize(("schema", "message"), CONFORMANT.values(), ids=CONFORMANT)
def test_a_conformant_message_is_valid(schema, message):
    assert is_valid(schema, message)


@pytest.mark.parametrize(("schema", "message"), NONCONFORMANT.values(), ids=NONCONFORMANT)
def test_a_nonconformant_message_is_not(schema, message):
    assert not is_valid(schema, message)


# --- what the codec renders ---

FINDING = Finding(
    code=ErrorCode.REGISTRY_ERROR, rule="ihe.rule", sentence="Change <this> & that.", object_id="Document01"
)
STORED = StoredDocument(key="k", size=5, sha1="s", chunk_digests=b"")
REQUEST = DocumentRequest("1.2", "1.2.3", "urn:oid:1.2.9")
SUBMISSION = make_submission(folders=(make_folder(),))
EVERY_OBJECT = (
    make_entry(lid="urn:uuid:1", status="urn:s", version="2"),
    make_set(status="urn:s", version="1"),
    make_folder(),
    *SUBMISSION.associations,
)

RENDERED = {
    "ITI-41 request": xdsb.render_provide_request(
        ProvideRequest(
            submission=SUBMISSION,
            parts=tuple(part._replace(content_id=None, inline="aGVsbG8=") for part in make_parts(SUBMISSION)),
        )
    ),
    "ITI-42 request": xdsb.render_register_request(SUBMISSION),
    "ITI-41 and ITI-42 answer": xdsb.render_registry_response(RegistryResponse()),
    "ITI-41 and ITI-42 refusal": xdsb.render_registry_response(RegistryResponse(findings=(FINDING, FINDING))),
    "ITI-18 request": xdsb.render_query_request(
        QueryRequest(
            query_id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d",
            return_type="LeafClass",
            parameters=(("$XDSDocumentEntryStatus", ("('a')", "('b')")),),
            home="urn:oid:1.2",
        )
    ),
    "ITI-18 objects": xdsb.render_query_response(
        QueryResponse(fragments=tuple(ebrim.render_object(item) for item in EVERY_OBJECT))
    ),
    "ITI-18 references": xdsb.render_query_response(
        QueryResponse(
            fragments=(xdsb.render_object_ref("urn:uuid:1", "urn:oid:1.2"), xdsb.render_object_ref("urn:uuid:2", None))
        )
    ),
    "ITI-18 refusal": xdsb.render_query_response(QueryResponse(findings=(FINDING,))),
    "ITI-43 request": xdsb.render_retrieve_request(RetrieveRequest(documents=(REQUEST, REQUEST))),
    "ITI-43 documents": xdsb.render_retrieve_response(
        RetrieveResponse(documents=(RetrievedDocument(REQUEST, STORED, "text/xml"),), findings=(FINDING,))
    ),
    "ITI-43 refusal": xdsb.render_retrieve_response(RetrieveResponse(findings=(FINDING,))),
}


def inline(pieces):
    """The bytes of a message, each document's as base64 text."""
    whole = (pieces,) if isinstance(pieces, bytes) else pieces
    return b"".join(piece if isinstance(piece, bytes) else b"aGVsbG8=" for piece in whole)


@pytest.mark.parametrize("pieces", RENDERED.values(), ids=RENDERED)
def test_what_the_codec_renders_is_valid(pieces):
    message = etree.fromstring(inline(pieces))
    schema = etree.XMLSchema(file=str(contracts.schema_path(SCHEMA_OF[etree.QName(message).namespace])))
    assert schema.validate(message), schema.error_log
