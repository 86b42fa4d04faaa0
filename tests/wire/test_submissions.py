"""ITI-41 and ITI-42 on the wire: what is kept, and every reason why not (ITI TF-2 3.41, 3.42; ITI TF-3 4.2.4)."""

from dataclasses import replace

import pytest
from lxml import etree

from tests.unit.builders import (
    make_documentation,
    make_slots,
)
from xds_gateway.codec.ebrim import render_submission
from xds_gateway.codec.xdsb import render_provide_request
from xds_gateway.model import vocabulary as v
from xds_gateway.model.messages import DocumentPart, ProvideRequest

from .messages import (
    NAMESPACES,
    REPOSITORY,
    Provide,
    accepted,
    entry_for,
    entry_uuid,
    find_documents,
    new_patient,
    new_urn,
    plain,
    provide,
    query,
    register,
    retrieve,
    send,
    set_for,
    slot,
)


def found_entry(gateway, unique_id: str) -> etree._Element:
    """The entry of a document, as ITI-18 returns it."""
    answer = send(gateway, query("GetDocuments", {"$XDSDocumentEntryUniqueId": f"('{unique_id}')"}))
    (entry,) = answer.entries
    return entry


def rule_of(context: str) -> str:
    """The id of the rule that a codeContext names."""
    return context.split("[rule=")[1].split(" ")[0].rstrip("]")


# --- what is kept -------------------------------------------------------------------------------------------------


def texts(element: etree._Element, path: str) -> list[str]:
    """What can be compared of Name and Description."""
    return sorted(
        f"{item.get('{http://www.w3.org/XML/1998/namespace}lang')} {item.get('value')}"
        for item in element.findall(path, NAMESPACES)
    )


def shape(element: etree._Element, owner: str | None = None) -> list[tuple[object, ...]]:
    """Slots, names, classifications and identifiers without the ids that the registry gives."""
    owner = owner or element.get("id")
    lines: list[tuple[object, ...]] = [
        ("name", *texts(element, "rim:Name/rim:LocalizedString")),
        ("description", *texts(element, "rim:Description/rim:LocalizedString")),
    ]
    for item in element.findall("rim:Slot", NAMESPACES):
        lines.append(("slot", item.get("name"), *slot(element, item.get("name") or "")))
    for item in element.findall("rim:Classification", NAMESPACES):
        assert item.get("classifiedObject") == element.get("id")
        named = (item.get("classificationScheme"), item.get("classificationNode"), item.get("nodeRepresentation"))
        lines.append(("classification", *named, *shape(item, owner)))
    for item in element.findall("rim:ExternalIdentifier", NAMESPACES):
        assert item.get("registryObject") == element.get("id")
        lines.append(("identifier", item.get("identificationScheme"), item.get("value")))
    return sorted(lines, key=repr)


@pytest.mark.parametrize("transaction", ["ITI-41", "ITI-42"])
def test_all_that_was_sent_of_an_entry_comes_back(gateway, transaction):
    patient = new_patient()
    entry = entry_for(b"a letter", patient)
    extra = make_slots({"urn:example:extra": ("one", "two & <three>", "é€𝄞"), "urn:example:empty": ""})
    odd = make_documentation(entry.id)._replace(scheme="urn:uuid:00000000-1111-4222-8333-444444444444", id="odd")
    entry = replace(entry, slots=(*entry.slots, *extra), classifications=(*entry.classifications, odd))
    if transaction == "ITI-42":
        entry = replace(entry, slots=(*entry.slots, *make_slots({"repositoryUniqueId": REPOSITORY})))
    provided = provide(b"a letter", patient=patient, entries=(entry,))
    message = provided.message() if transaction == "ITI-41" else register(provided.submission)
    assert send(gateway, message).contexts == []

    sent = etree.fromstring(render_submission(provided.submission)).find(".//rim:ExtrinsicObject", NAMESPACES)
    returned = found_entry(gateway, provided.unique_ids[0])
    assert sent is not None
    added = [] if transaction == "ITI-42" else [("slot", "repositoryUniqueId", REPOSITORY)]
    assert shape(returned) == sorted([*shape(sent), *added], key=repr)
    assert (returned.get("mimeType"), returned.get("objectType")) == (sent.get("mimeType"), sent.get("objectType"))
    assert len(returned.findall(f"rim:Classification[@classificationScheme='{v.DE_AUTHOR}']", NAMESPACES)) == 2


def test_a_registered_entry_has_what_the_registry_adds(gateway):
    provided = accepted(gateway, provide(b"x"))
    entry = found_entry(gateway, provided.unique_ids[0])
    assert (entry.get("id") or "").startswith("urn:uuid:")
    assert entry.get("lid") == entry.get("id")
    assert entry.get("status") == v.APPROVED
    assert [item.get("versionName") for item in entry.findall("rim:VersionInfo", NAMESPACES)] == ["1"]
    assert slot(entry, "repositoryUniqueId") == [REPOSITORY]
    ids = [item.get("id") for item in entry.iter("{*}ExtrinsicObject", "{*}Classification", "{*}ExternalIdentifier")]
    assert None not in ids
    assert len(ids) == len(set(ids))


def test_hash_and_size_are_added_when_the_source_gives_none(gateway):
    patient = new_patient()
    entry = entry_for(b"abc", patient, slots={"hash": None, "size": None})
    provided = accepted(gateway, provide(b"abc", patient=patient, entries=(entry,)))
    found = found_entry(gateway, provided.unique_ids[0])
    assert (slot(found, "hash"), slot(found, "size")) == (["a9993e364706816aba3e25717850c26c9cd0d89d"], ["3"])


def test_the_hash_may_be_written_in_capitals(gateway):
    patient = new_patient()
    entry = entry_for(b"abc", patient, slots={"hash": "A9993E364706816ABA3E25717850C26C9CD0D89D"})
    accepted(gateway, provide(b"abc", patient=patient, entries=(entry,)))


@pytest.mark.parametrize("wanted", ["urn:uuid:{}", "URN:UUID:{}"])
def test_a_submitted_uuid_is_kept_in_lower_case_and_symbolic_ids_are_replaced(gateway, wanted):
    patient = new_patient()
    bare = new_urn().removeprefix("urn:uuid:")
    sent = wanted.format(bare.upper() if wanted.isupper() else bare)
    provided = provide(b"x", patient=patient, entries=(entry_for(b"x", patient, id=sent),))
    assert send(gateway, provided.message()).contexts == []
    assert entry_uuid(gateway, provided.unique_ids[0]) == f"urn:uuid:{bare}"


@pytest.mark.parametrize("documents", [2, 20])
def test_a_submission_of_many_documents_is_found_whole(gateway, documents):
    patient = new_patient()
    provided = accepted(gateway, provide(*(b"%d" % number for number in range(documents)), patient=patient))
    assert len(send(gateway, find_documents(patient)).entries) == documents
    assert send(gateway, retrieve(*provided.unique_ids)).documents == {
        unique_id: b"%d" % number for number, unique_id in enumerate(provided.unique_ids)
    }


def test_fifty_documents_are_read_right_after_each_success(gateway2):
    patient = new_patient()
    for number in range(50):
        provided = accepted(gateway2, provide(b"letter %d" % number, patient=patient))
        assert len(send(gateway2, find_documents(patient, "ObjectRef")).ids) == number + 1
        assert send(gateway2, retrieve(*provided.unique_ids)).documents == {
            provided.unique_ids[0]: b"letter %d" % number
        }


# --- documents and entries that do not belong together ------------------------------------------------------------


def with_parts(provided: Provide, *parts: DocumentPart) -> bytes:
    """The body of ITI-41 with these documents."""
    return render_provide_request(ProvideRequest(submission=provided.submission, parts=parts))


@pytest.mark.parametrize(
    ("parts", "codes"),
    [
        ((), ["XDSMissingDocument"]),
        (("Document01", "Document02"), ["XDSMissingDocumentMetadata"]),
        (("Document01", "Document01"), ["XDSRepositoryMetadataError"]),
        (("Document09",), ["XDSMissingDocumentMetadata", "XDSMissingDocument"]),
        (("",), ["XDSMissingDocumentMetadata", "XDSMissingDocument"]),
    ],
)
def test_documents_and_entries_must_belong_together(gateway, parts, codes):
    patient = new_patient()
    provided = provide(b"x", patient=patient)
    answer = send(gateway, plain("ITI-41", with_parts(provided, *(DocumentPart(part, None, "eA==") for part in parts))))
    assert (answer.status, sorted(answer.errors)) == ("Failure", sorted(codes))
    assert send(gateway, find_documents(patient)).ids == []


@pytest.mark.parametrize(
    ("slots", "rules"),
    [
        ({"hash": "0" * 40}, ["ihe.document.hash"]),
        ({"size": "2"}, ["ihe.document.size"]),
        ({"hash": "0" * 40, "size": "0"}, ["ihe.document.hash", "ihe.document.size"]),
    ],
)
@pytest.mark.parametrize("form", ["mtom", "inline"])
def test_a_hash_or_size_that_is_not_the_documents_is_refused(gateway, slots, rules, form):
    patient = new_patient()
    provided = provide(b"x", patient=patient, entries=(entry_for(b"x", patient, slots=slots),))
    answer = send(gateway, provided.message() if form == "mtom" else provided.inline())
    assert (answer.status, set(answer.errors)) == ("Failure", {"XDSRepositoryMetadataError"})
    assert [rule_of(context) for context in answer.contexts] == rules
    assert send(gateway, find_documents(patient)).ids == []
    assert send(gateway, retrieve(*provided.unique_ids)).documents == {}


def test_the_last_of_five_documents_is_bad_and_nothing_is_kept(gateway):
    patient = new_patient()
    contents = [b"%d" % number for number in range(5)]
    entries = [entry_for(content, patient, number) for number, content in enumerate(contents, 1)]
    entries[4] = entry_for(b"other bytes", patient, 5)
    provided = provide(*contents, patient=patient, entries=entries)
    answer = send(gateway, provided.message())
    assert answer.status == "Failure"
    assert send(gateway, find_documents(patient, Status=f"('{v.APPROVED}','{v.DEPRECATED}')")).ids == []
    assert send(gateway, retrieve(*provided.unique_ids)).errors == ["XDSDocumentUniqueIdError"] * 5


# --- everything that is wrong, at once ----------------------------------------------------------------------------


def test_all_findings_of_repository_and_registry_come_in_one_answer(gateway):
    patient = new_patient()
    known = accepted(gateway, provide(b"known", patient=patient))
    entry = replace(
        entry_for(b"x", patient, slots={"creationTime": None, "languageCode": "fr_FR", "size": "many"}, mime_type=None),
    )
    bad = provide(
        b"x",
        patient=patient,
        entries=(entry,),
        submission_set=set_for(patient, identifiers={v.SS_UNIQUE_ID: known.submission.submission_sets[0].unique_id}),
    )
    answer = send(gateway, bad.message())
    attributes = {
        context.split("attribute=")[1].split(" ")[0] for context in answer.contexts if "attribute=" in context
    }
    assert answer.status == "Failure"
    assert {"creationTime", "languageCode", "size", "mimeType", "uniqueId"} <= attributes
    assert "XDSDuplicateUniqueIdInRegistry" in answer.errors
    for context in answer.contexts:
        assert " [rule=ihe." in context
        assert "clause=" in context
        assert context[0].isupper()
    assert all(error.get("severity", "").endswith(":Error") for error in answer.all(".//rs:RegistryError"))


@pytest.mark.parametrize("transaction", ["ITI-41", "ITI-42"])
@pytest.mark.parametrize(
    ("changes", "attribute"),
    [
        ({"slots": {"creationTime": "yesterday"}}, "creationTime"),
        ({"slots": {"languageCode": None}}, "languageCode"),
        ({"slots": {"sourcePatientId": "nobody"}}, "sourcePatientId"),
        ({"codes": {v.DE_CLASS_CODE: ()}}, "classCode"),
        ({"codes": {v.DE_FORMAT_CODE: ()}}, "formatCode"),
        ({"mime_type": None}, "mimeType"),
        ({"identifiers": {v.DE_UNIQUE_ID: None}}, "uniqueId"),
        ({"identifiers": {v.DE_PATIENT_ID: "nobody"}}, "patientId"),
    ],
)
def test_bad_metadata_names_the_attribute(gateway, transaction, changes, attribute):
    patient = new_patient()
    slots = {"repositoryUniqueId": REPOSITORY if transaction == "ITI-42" else None, **changes.get("slots", {})}
    entry = entry_for(b"x", patient, **{**changes, "slots": slots})
    provided = provide(b"x", patient=patient, entries=(entry,))
    answer = send(gateway, provided.message() if transaction == "ITI-41" else register(provided.submission))
    assert answer.status == "Failure"
    assert "XDSRegistryMetadataError" in answer.errors
    assert any(f"attribute={attribute}" in context for context in answer.contexts)
    assert send(gateway, find_documents(patient)).ids == []


def test_patients_must_agree_even_when_both_are_unknown(gateway):
    patient, other = new_patient(), new_patient()
    provided = provide(b"x", patient=patient, submission_set=set_for(other))
    assert send(gateway, provided.message()).errors == ["XDSPatientIdDoesNotMatch"]
