package peer;

import ca.uhn.hl7v2.HL7Exception;
import ihe.iti.rmu._2018.UpdateResponderService;
import ihe.iti.xds_b._2007.DocumentRegistryPortType;
import ihe.iti.xds_b._2007.DocumentRegistryService;
import ihe.iti.xds_b._2007.DocumentRepositoryPortType;
import ihe.iti.xds_b._2007.DocumentRepositoryService;
import ihe.iti.xds_b._2007.RetrieveDocumentSetRequestType;
import ihe.iti.xds_b._2007.RetrieveDocumentSetResponseType;
import jakarta.activation.DataHandler;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.soap.AddressingFeature;
import jakarta.xml.ws.soap.MTOMFeature;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import oasis.names.tc.ebxml_regrep.xsd.lcm._3.SubmitObjectsRequest;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.ExtrinsicObjectType;

/**
 * Tells of its patients by HL7 v2 and v3. Provides a document, finds it, retrieves it, asks for one that is not there, registers one, and is refused once. Then
 * updates the document's metadata twice, registers an on-demand entry of another patient, finds the entries of both
 * patients, and removes the document and its metadata. What it saw goes into a report. Each message, sent or received,
 * must be valid by the schemas of the WSDL it belongs to.
 *
 * <p>System properties: wsdl.registry, wsdl.repository, wsdl.responder and wsdl.patients (URLs), feed.port and
 * feed.tlsPort (MLLP), peer.patient, peer.otherPatient and peer.formerPatient (CX), peer.uniqueId (OID), peer.document (file to submit), peer.retrieved and peer.report (files to write); mutual
 * TLS by javax.net.ssl.*.
 */
public final class Peer {
    private final String patient = System.getProperty("peer.patient");
    private final String uniqueId = System.getProperty("peer.uniqueId");
    private final Report report = new Report();
    private final DocumentRegistryPortType registry;
    private final DocumentRepositoryPortType repository;
    private final LifeCycle lifeCycle;
    private final Feeds feeds;

    private Peer() throws IOException {
        var addressing = new AddressingFeature(true, true);
        var repositories = new DocumentRepositoryService(wsdl("repository"));
        registry = validating(new DocumentRegistryService(wsdl("registry")).getDocumentRegistryPortSoap12(addressing));
        repository = validating(repositories.getDocumentRepositoryPortSoap12(addressing, new MTOMFeature()));
        lifeCycle = new LifeCycle(report, registry,
                validating(repositories.getDocumentRepositoryPortSoap12(addressing)),
                validating(new UpdateResponderService(wsdl("responder")).getUpdateResponderPortSoap12(addressing)));
        feeds = new Feeds(report, validating(new peer.feed.DocumentRegistryService(wsdl("patients"))
                .getDocumentRegistryPortSoap12(addressing)));
    }

    public static void main(String[] arguments) throws IOException, HL7Exception {
        Peer peer = new Peer();
        peer.feed();
        ExtrinsicObjectType entry = peer.share();
        peer.keep(entry);
        peer.report.write(Path.of(System.getProperty("peer.report")));
    }

    private static URL wsdl(String endpoint) throws IOException {
        return URI.create(System.getProperty("wsdl." + endpoint)).toURL();
    }

    private static <T> T validating(T port) {
        ((BindingProvider) port).getRequestContext().put("schema-validation-enabled", true);
        return port;
    }

    /** One patient registered by each way, another one merged, and two merges of a patient whom nobody knows any more. */
    private void feed() throws IOException, HL7Exception {
        String other = System.getProperty("peer.otherPatient");
        String former = System.getProperty("peer.formerPatient");
        feeds.register("feed", patient, false);
        feeds.register("feedTls", former, true);
        feeds.addRecord("feedV3", other);
        feeds.merge("merge", former, patient, true);
        feeds.merge("mergeAgain", former, patient, false);
        feeds.resolveDuplicates("mergeV3", former, patient);
    }

    private ExtrinsicObjectType share() throws IOException {
        provide("provide", Metadata.submission(patient, uniqueId));
        ExtrinsicObjectType entry = find();
        DataHandler document = retrieve("retrieve", entry, uniqueId).get(0).getDocument();
        try (InputStream content = document.getInputStream()) {
            Files.copy(content, Path.of(System.getProperty("peer.retrieved")));
        }
        retrieve("partial", entry, uniqueId, uniqueId + ".404");
        register(entry);

        SubmitObjectsRequest incomplete = Metadata.submission(patient, uniqueId + ".3");
        Metadata.entry(incomplete).getClassification()
                .removeIf(classification -> Metadata.CLASS_CODE.equals(classification.getClassificationScheme()));
        provide("refused", incomplete);
        return entry;
    }

    private void keep(ExtrinsicObjectType entry) {
        String other = System.getProperty("peer.otherPatient");
        String repositoryId = Metadata.value(entry, "repositoryUniqueId");
        lifeCycle.update(entry, patient, uniqueId);
        lifeCycle.registerOnDemand(other, uniqueId + ".4", repositoryId);
        lifeCycle.findForPatients(patient, other);
        lifeCycle.removeDocument(repositoryId, uniqueId);
        retrieve("gone", entry, uniqueId);
        lifeCycle.removeMetadata(patient);
    }

    private void provide(String step, SubmitObjectsRequest submission) {
        Path file = Path.of(System.getProperty("peer.document"));
        report.exchange(step, repository, repository::documentRepositoryProvideAndRegisterDocumentSetB,
                Metadata.provide(submission, file));
    }

    /** Registers a second document, as a repository that keeps the same bytes would. */
    private void register(ExtrinsicObjectType like) {
        SubmitObjectsRequest submission = Metadata.submission(patient, uniqueId + ".2");
        for (String name : List.of("hash", "size", "repositoryUniqueId")) {
            Metadata.entry(submission).getSlot().add(Metadata.slot(name, Metadata.value(like, name)));
        }
        report.exchange("register", registry, registry::documentRegistryRegisterDocumentSetB, submission);
    }

    private ExtrinsicObjectType find() {
        var response = report.exchange(
                "find", registry, registry::documentRegistryRegistryStoredQuery, Queries.findDocuments(patient));
        List<ExtrinsicObjectType> found = Queries.objects(response, ExtrinsicObjectType.class);
        report.add("find.count", found.size());
        ExtrinsicObjectType entry = found.get(0);
        report.add("find.uniqueId", Metadata.uniqueId(entry));
        report.add("find.name", Metadata.title(entry));
        report.add("find.size", Metadata.value(entry, "size"));
        report.add("find.hash", Metadata.value(entry, "hash"));
        return entry;
    }

    private List<RetrieveDocumentSetResponseType.DocumentResponse> retrieve(
            String step, ExtrinsicObjectType entry, String... documents) {
        RetrieveDocumentSetRequestType request = new RetrieveDocumentSetRequestType();
        for (String document : documents) {
            var wanted = new RetrieveDocumentSetRequestType.DocumentRequest();
            wanted.setRepositoryUniqueId(Metadata.value(entry, "repositoryUniqueId"));
            wanted.setDocumentUniqueId(document);
            request.getDocumentRequest().add(wanted);
        }
        var response = report.exchange(step, repository, repository::documentRepositoryRetrieveDocumentSet, request,
                RetrieveDocumentSetResponseType::getRegistryResponse);
        var returned = response.getDocumentResponse();
        report.add(step + ".count", returned.size());
        returned.forEach(document -> report.add(step + ".mimeType", document.getMimeType()));
        return returned;
    }
}
