package peer;

import ihe.iti.xds_b._2007.ProvideAndRegisterDocumentSetRequestType;
import jakarta.activation.DataHandler;
import jakarta.activation.FileDataSource;
import jakarta.xml.bind.JAXBElement;
import java.nio.file.Path;
import java.util.List;
import oasis.names.tc.ebxml_regrep.xsd.lcm._3.SubmitObjectsRequest;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.AssociationType1;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.ClassificationType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.ExternalIdentifierType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.ExtrinsicObjectType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.IdentifiableType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.InternationalStringType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.LocalizedStringType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.ObjectFactory;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.RegistryObjectListType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.RegistryObjectType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.RegistryPackageType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.SlotType1;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.ValueListType;

/** One document with its submission set, as ITI TF-3 Tables 4.3.1-3 and 4.2.3.3 ask for it, and its next versions. */
final class Metadata {
    static final String CLASS_CODE = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a";
    static final String UNIQUE_ID = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab";

    static final String STABLE = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1";
    static final String ON_DEMAND = "urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248";

    private static final String FORMAT_CODE = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d";
    private static final String SOURCE_ID = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832";
    private static final ObjectFactory RIM = new ObjectFactory();
    private static final String ENTRY = "Document01";
    private static final String SET = "SubmissionSet01";
    private static final String TIME = "20260102030405";
    private int identifiers;

    private Metadata() {}

    /** A submission request of one document. */
    static SubmitObjectsRequest submission(String patient, String uniqueId) {
        Metadata metadata = new Metadata();
        return metadata.submission(metadata.entry(patient, uniqueId), metadata.hasMember(), patient, uniqueId + ".1");
    }

    /** A request of ITI-61: an entry of a document that is made when it is asked for. */
    static SubmitObjectsRequest onDemand(String patient, String uniqueId, String repository) {
        SubmitObjectsRequest submission = submission(patient, uniqueId);
        ExtrinsicObjectType entry = entry(submission);
        entry.setObjectType(ON_DEMAND);
        entry.getSlot().removeIf(slot -> "creationTime".equals(slot.getName()));
        entry.getSlot().add(slot("repositoryUniqueId", repository));
        return submission;
    }

    /** A request of ITI-57 and ITI-92: an entry as a query returned it, with another title, as its next version. */
    static SubmitObjectsRequest update(ExtrinsicObjectType entry, String title, int previous, String patient,
            String uniqueId) {
        Metadata metadata = new Metadata();
        entry.setId(ENTRY);
        entry.setName(name(title));
        for (ClassificationType classification : entry.getClassification()) {
            classification.setId("Classification" + ++metadata.identifiers);
            classification.setClassifiedObject(ENTRY);
        }
        for (ExternalIdentifierType identifier : entry.getExternalIdentifier()) {
            identifier.setId("ExternalIdentifier" + ++metadata.identifiers);
            identifier.setRegistryObject(ENTRY);
        }
        AssociationType1 hasMember = metadata.hasMember();
        hasMember.getSlot().add(slot("PreviousVersion", String.valueOf(previous)));
        hasMember.getSlot().add(slot("AssociationPropagation", "yes"));
        return metadata.submission(entry, hasMember, patient, uniqueId);
    }

    private SubmitObjectsRequest submission(
            ExtrinsicObjectType entry, AssociationType1 hasMember, String patient, String uniqueId) {
        RegistryObjectListType objects = new RegistryObjectListType();
        List<JAXBElement<? extends IdentifiableType>> list = objects.getIdentifiable();
        list.add(RIM.createExtrinsicObject(entry));
        list.add(RIM.createRegistryPackage(submissionSet(patient, uniqueId)));
        list.add(RIM.createAssociation(hasMember));
        SubmitObjectsRequest submission = new SubmitObjectsRequest();
        submission.setRegistryObjectList(objects);
        return submission;
    }

    /** The document entry of a submission request. */
    static ExtrinsicObjectType entry(SubmitObjectsRequest submission) {
        return (ExtrinsicObjectType) submission.getRegistryObjectList().getIdentifiable().get(0).getValue();
    }

    /** A request of ITI-41 with the bytes of a file. */
    static ProvideAndRegisterDocumentSetRequestType provide(SubmitObjectsRequest submission, Path file) {
        var document = new ProvideAndRegisterDocumentSetRequestType.Document();
        document.setId(ENTRY);
        document.setValue(new DataHandler(new FileDataSource(file.toFile())));
        var request = new ProvideAndRegisterDocumentSetRequestType();
        request.setSubmitObjectsRequest(submission);
        request.getDocument().add(document);
        return request;
    }

    /** A named list of values. */
    static SlotType1 slot(String name, String... values) {
        SlotType1 slot = new SlotType1();
        slot.setName(name);
        slot.setValueList(new ValueListType());
        slot.getValueList().getValue().addAll(List.of(values));
        return slot;
    }

    /** The first value of a slot. */
    static String value(ExtrinsicObjectType entry, String slot) {
        return entry.getSlot().stream().filter(candidate -> slot.equals(candidate.getName()))
                .map(SlotType1::getValueList).map(values -> values.getValue().get(0)).findFirst().orElseThrow();
    }

    static String uniqueId(ExtrinsicObjectType entry) {
        return entry.getExternalIdentifier().stream()
                .filter(identifier -> UNIQUE_ID.equals(identifier.getIdentificationScheme()))
                .map(ExternalIdentifierType::getValue).findFirst().orElseThrow();
    }

    static String title(ExtrinsicObjectType entry) {
        return entry.getName().getLocalizedString().get(0).getValue();
    }

    private ExtrinsicObjectType entry(String patient, String uniqueId) {
        ExtrinsicObjectType entry = new ExtrinsicObjectType();
        entry.setId(ENTRY);
        entry.setObjectType(STABLE);
        entry.setMimeType("application/octet-stream");
        entry.setName(name("Résumé of a Java program"));
        entry.getSlot().add(slot("creationTime", TIME));
        entry.getSlot().add(slot("languageCode", "en-US"));
        entry.getSlot().add(slot("sourcePatientId", patient));
        code(entry, CLASS_CODE, "34133-9", "2.16.840.1.113883.6.1");
        code(entry, "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f", "N", "2.16.840.1.113883.5.25");
        code(entry, FORMAT_CODE, "urn:ihe:iti:xds:2017:mimeTypeSufficient", "1.3.6.1.4.1.19376.1.2.3");
        code(entry, "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", "264358009", "2.16.840.1.113883.6.96");
        code(entry, "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead", "394802001", "2.16.840.1.113883.6.96");
        code(entry, "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983", "34133-9", "2.16.840.1.113883.6.1");
        identifier(entry, "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427", "XDSDocumentEntry.patientId", patient);
        identifier(entry, UNIQUE_ID, "XDSDocumentEntry.uniqueId", uniqueId);
        return entry;
    }

    private RegistryPackageType submissionSet(String patient, String uniqueId) {
        RegistryPackageType set = new RegistryPackageType();
        set.setId(SET);
        set.getSlot().add(slot("submissionTime", TIME));
        ClassificationType kind = classification(set);
        kind.setClassificationNode("urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd");
        ClassificationType author = classification(set);
        author.setClassificationScheme("urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d");
        author.setNodeRepresentation("");
        author.getSlot().add(slot("authorPerson", "^Peer^Java^^^Dr"));
        code(set, "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500", "34133-9", "2.16.840.1.113883.6.1");
        identifier(set, "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446", "XDSSubmissionSet.patientId", patient);
        identifier(set, SOURCE_ID, "XDSSubmissionSet.sourceId", "1.3.6.1.4.1.21367.1");
        identifier(set, "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8", "XDSSubmissionSet.uniqueId", uniqueId);
        return set;
    }

    private AssociationType1 hasMember() {
        AssociationType1 association = new AssociationType1();
        association.setId("Association01");
        association.setAssociationType("urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember");
        association.setSourceObject(SET);
        association.setTargetObject(ENTRY);
        association.getSlot().add(slot("SubmissionSetStatus", "Original"));
        return association;
    }

    private void code(RegistryObjectType object, String scheme, String code, String codingScheme) {
        ClassificationType classification = classification(object);
        classification.setClassificationScheme(scheme);
        classification.setNodeRepresentation(code);
        classification.getSlot().add(slot("codingScheme", codingScheme));
        classification.setName(name("Name of " + code));
    }

    private ClassificationType classification(RegistryObjectType object) {
        ClassificationType classification = new ClassificationType();
        classification.setId("Classification" + ++identifiers);
        classification.setClassifiedObject(object.getId());
        object.getClassification().add(classification);
        return classification;
    }

    private void identifier(RegistryObjectType object, String scheme, String name, String value) {
        ExternalIdentifierType identifier = new ExternalIdentifierType();
        identifier.setId("ExternalIdentifier" + ++identifiers);
        identifier.setRegistryObject(object.getId());
        identifier.setIdentificationScheme(scheme);
        identifier.setName(name(name));
        identifier.setValue(value);
        object.getExternalIdentifier().add(identifier);
    }

    private static InternationalStringType name(String value) {
        LocalizedStringType text = new LocalizedStringType();
        text.setValue(value);
        InternationalStringType name = new InternationalStringType();
        name.getLocalizedString().add(text);
        return name;
    }
}
