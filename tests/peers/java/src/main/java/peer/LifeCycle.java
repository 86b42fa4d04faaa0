package peer;

import ihe.iti.rmd._2017.RemoveDocumentsRequest;
import ihe.iti.rmu._2018.UpdateResponderPortType;
import ihe.iti.xds_b._2007.DocumentRegistryPortType;
import ihe.iti.xds_b._2007.DocumentRepositoryPortType;
import ihe.iti.xds_b._2007.DocumentRequest;
import java.util.List;
import java.util.stream.Collectors;
import oasis.names.tc.ebxml_regrep.xsd.lcm._3.RemoveObjectsRequest;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.ExtrinsicObjectType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.ObjectRefListType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.ObjectRefType;

/** What happens to a document after its submission: new versions, and its removal. */
final class LifeCycle {
    private final Report report;
    private final DocumentRegistryPortType registry;
    private final DocumentRepositoryPortType repository;
    private final UpdateResponderPortType responder;

    /** The port of the repository is one without MTOM: ITI-86 is plain SOAP. */
    LifeCycle(Report report, DocumentRegistryPortType registry, DocumentRepositoryPortType repository,
            UpdateResponderPortType responder) {
        this.report = report;
        this.registry = registry;
        this.repository = repository;
        this.responder = responder;
    }

    /** Two new versions, one by each transaction for it, and a look at all three. */
    void update(ExtrinsicObjectType entry, String patient, String uniqueId) {
        report.exchange("update", registry, registry::documentRegistryUpdateDocumentSet,
                Metadata.update(entry, "Title of an administrator", 1, patient, uniqueId + ".5"));
        report.exchange("restricted", responder, responder::updateResponderRestrictedUpdateDocumentSet,
                Metadata.update(entry, "Title of an initiator", 2, patient, uniqueId + ".6"));

        var response = report.exchange("versions", registry, registry::documentRegistryRegistryStoredQuery,
                Queries.getVersions(entry.getLid()));
        for (ExtrinsicObjectType version : Queries.objects(response, ExtrinsicObjectType.class)) {
            String status = version.getStatus().substring(version.getStatus().lastIndexOf(':') + 1);
            report.add("versions." + version.getVersionInfo().getVersionName(),
                    status + " " + Metadata.title(version));
        }
    }

    void registerOnDemand(String patient, String uniqueId, String repositoryId) {
        report.exchange("onDemand", registry, registry::documentRegistryRegisterOnDemandDocumentEntry,
                Metadata.onDemand(patient, uniqueId, repositoryId));
    }

    void findForPatients(String... patients) {
        var response = report.exchange("patients", registry, registry::documentRegistryMultiPatientStoredQuery,
                Queries.findDocumentsForMultiplePatients(patients));
        report.add("patients.uniqueIds", Queries.objects(response, ExtrinsicObjectType.class).stream()
                .map(Metadata::uniqueId).sorted().collect(Collectors.joining(" ")));
    }

    void removeDocument(String repositoryId, String uniqueId) {
        DocumentRequest document = new DocumentRequest();
        document.setRepositoryUniqueId(repositoryId);
        document.setDocumentUniqueId(uniqueId);
        RemoveDocumentsRequest request = new RemoveDocumentsRequest();
        request.getDocumentRequest().add(document);
        report.exchange("removeDocument", repository, repository::documentRepositoryRemoveDocuments, request);
    }

    /** All that a patient has, in one request. */
    void removeMetadata(String patient) {
        RemoveObjectsRequest request = new RemoveObjectsRequest();
        request.setObjectRefList(new ObjectRefListType());
        request.getObjectRefList().getObjectRef().addAll(references("before", patient));
        report.exchange("removeMetadata", registry, registry::documentRegistryDeleteDocumentSet, request);
        references("after", patient);
    }

    private List<ObjectRefType> references(String step, String patient) {
        var response = report.exchange(
                step, registry, registry::documentRegistryRegistryStoredQuery, Queries.getAll(patient));
        List<ObjectRefType> references = Queries.objects(response, ObjectRefType.class);
        report.add(step + ".count", references.size());
        return references;
    }
}
