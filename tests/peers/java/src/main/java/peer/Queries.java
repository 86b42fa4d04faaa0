package peer;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import oasis.names.tc.ebxml_regrep.xsd.query._3.AdhocQueryRequest;
import oasis.names.tc.ebxml_regrep.xsd.query._3.AdhocQueryResponse;
import oasis.names.tc.ebxml_regrep.xsd.query._3.ResponseOptionType;
import oasis.names.tc.ebxml_regrep.xsd.query._3.ReturnType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.AdhocQueryType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.IdentifiableType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.SlotType1;

/** Stored queries (ITI TF-2 3.18.4.1.2.3, 3.51.4.1.2). */
final class Queries {
    private static final String STATUS = "urn:oasis:names:tc:ebxml-regrep:StatusType:";
    private static final String[] ALL = {STATUS + "Approved", STATUS + "Deprecated"};

    private Queries() {}

    static AdhocQueryRequest findDocuments(String patient) {
        return leaves("urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d",
                Metadata.slot("$XDSDocumentEntryPatientId", "'" + patient + "'"),
                Metadata.slot("$XDSDocumentEntryStatus", list(STATUS + "Approved")));
    }

    /** Stable and on-demand entries of several patients. */
    static AdhocQueryRequest findDocumentsForMultiplePatients(String... patients) {
        return leaves("urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f",
                Metadata.slot("$XDSDocumentEntryPatientId", list(patients)),
                Metadata.slot("$XDSDocumentEntryStatus", list(STATUS + "Approved")),
                Metadata.slot("$XDSDocumentEntryType", list(Metadata.STABLE, Metadata.ON_DEMAND)));
    }

    /** All versions of an entry. */
    static AdhocQueryRequest getVersions(String logicalId) {
        return leaves("urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4",
                Metadata.slot("$XDSDocumentEntryLogicalID", list(logicalId)),
                Metadata.slot("$MetadataLevel", "2"));
    }

    /** References to all objects of a patient, whatever their version and status. */
    static AdhocQueryRequest getAll(String patient) {
        return request("urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3", ReturnType.OBJECT_REF,
                Metadata.slot("$patientId", "'" + patient + "'"),
                Metadata.slot("$XDSDocumentEntryStatus", list(ALL)),
                Metadata.slot("$XDSSubmissionSetStatus", list(ALL)),
                Metadata.slot("$XDSFolderStatus", list(ALL)),
                Metadata.slot("$XDSAssociationStatus", list(ALL)),
                Metadata.slot("$MetadataLevel", "2"));
    }

    /** The objects of an answer, which are all of one class. */
    static <T extends IdentifiableType> List<T> objects(AdhocQueryResponse response, Class<T> kind) {
        return response.getRegistryObjectList().getIdentifiable().stream()
                .map(element -> kind.cast(element.getValue())).toList();
    }

    private static AdhocQueryRequest leaves(String id, SlotType1... parameters) {
        return request(id, ReturnType.LEAF_CLASS, parameters);
    }

    private static AdhocQueryRequest request(String id, ReturnType returnType, SlotType1... parameters) {
        AdhocQueryType query = new AdhocQueryType();
        query.setId(id);
        query.getSlot().addAll(List.of(parameters));
        ResponseOptionType option = new ResponseOptionType();
        option.setReturnType(returnType);
        option.setReturnComposedObjects(true);
        AdhocQueryRequest request = new AdhocQueryRequest();
        request.setResponseOption(option);
        request.setAdhocQuery(query);
        return request;
    }

    private static String list(String... values) {
        return Stream.of(values).map(value -> "'" + value + "'").collect(Collectors.joining(",", "(", ")"));
    }
}
