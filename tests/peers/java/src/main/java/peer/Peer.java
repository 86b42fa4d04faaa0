package peer;

import ihe.iti.xds_b._2007.DocumentRegistryPortType;
import ihe.iti.xds_b._2007.DocumentRegistryService;
import ihe.iti.xds_b._2007.DocumentRepositoryPortType;
import ihe.iti.xds_b._2007.DocumentRepositoryService;
import ihe.iti.xds_b._2007.RetrieveDocumentSetRequestType;
import ihe.iti.xds_b._2007.RetrieveDocumentSetResponseType;
import jakarta.activation.DataHandler;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.handler.MessageContext;
import jakarta.xml.ws.soap.AddressingFeature;
import jakarta.xml.ws.soap.MTOMFeature;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import oasis.names.tc.ebxml_regrep.xsd.lcm._3.SubmitObjectsRequest;
import oasis.names.tc.ebxml_regrep.xsd.query._3.AdhocQueryRequest;
import oasis.names.tc.ebxml_regrep.xsd.query._3.AdhocQueryResponse;
import oasis.names.tc.ebxml_regrep.xsd.query._3.ResponseOptionType;
import oasis.names.tc.ebxml_regrep.xsd.query._3.ReturnType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.AdhocQueryType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.ExternalIdentifierType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.ExtrinsicObjectType;
import oasis.names.tc.ebxml_regrep.xsd.rim._3.SlotType1;
import oasis.names.tc.ebxml_regrep.xsd.rs._3.RegistryErrorType;
import oasis.names.tc.ebxml_regrep.xsd.rs._3.RegistryResponseType;
import org.apache.cxf.ws.addressing.AddressingProperties;
import org.apache.cxf.ws.addressing.AttributedURIType;
import org.apache.cxf.ws.addressing.JAXWSAConstants;

/**
 * Provides a document, finds it, retrieves it, asks for one that is not there, registers one, and is refused once.
 * What it saw goes into a report, one "name TAB value" a line.
 *
 * <p>System properties: wsdl.registry and wsdl.repository (URLs), peer.patient (CX), peer.uniqueId (OID), peer.document
 * (file to submit), peer.retrieved and peer.report (files to write); mutual TLS by javax.net.ssl.*.
 */
public final class Peer {
    private static final String FIND_DOCUMENTS = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d";
    private static final String APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved";

    private final String patient = System.getProperty("peer.patient");
    private final String uniqueId = System.getProperty("peer.uniqueId");
    private final DocumentRegistryPortType registry;
    private final DocumentRepositoryPortType repository;
    private final List<String> report = new ArrayList<>();

    private Peer() throws IOException {
        registry = new DocumentRegistryService(URI.create(System.getProperty("wsdl.registry")).toURL())
                .getDocumentRegistryPortSoap12(new AddressingFeature(true, true));
        repository = new DocumentRepositoryService(URI.create(System.getProperty("wsdl.repository")).toURL())
                .getDocumentRepositoryPortSoap12(new AddressingFeature(true, true), new MTOMFeature());
    }

    public static void main(String[] arguments) throws IOException {
        Peer peer = new Peer();
        SubmitObjectsRequest submission = Metadata.submission(peer.patient, peer.uniqueId);
        peer.provide("provide", submission);
        ExtrinsicObjectType entry = peer.find();
        DataHandler document = peer.retrieve("retrieve", entry, peer.uniqueId).get(0).getDocument();
        try (InputStream content = document.getInputStream()) {
            Files.copy(content, Path.of(System.getProperty("peer.retrieved")));
        }
        peer.retrieve("partial", entry, peer.uniqueId, peer.uniqueId + ".404");
        peer.register(entry);

        SubmitObjectsRequest incomplete = Metadata.submission(peer.patient, peer.uniqueId + ".3");
        Metadata.entry(incomplete).getClassification()
                .removeIf(classification -> Metadata.CLASS_CODE.equals(classification.getClassificationScheme()));
        peer.provide("refused", incomplete);
        Files.write(Path.of(System.getProperty("peer.report")), peer.report);
    }

    private void provide(String step, SubmitObjectsRequest submission) {
        Path file = Path.of(System.getProperty("peer.document"));
        String messageId = announce(repository);
        outcome(step, repository.documentRepositoryProvideAndRegisterDocumentSetB(Metadata.provide(submission, file)));
        envelope(step, repository, messageId);
    }

    /** Registers a second document, as a repository that keeps the same bytes would. */
    private void register(ExtrinsicObjectType like) {
        SubmitObjectsRequest submission = Metadata.submission(patient, uniqueId + ".2");
        for (String name : List.of("hash", "size", "repositoryUniqueId")) {
            Metadata.entry(submission).getSlot().add(Metadata.slot(name, value(like, name)));
        }
        String messageId = announce(registry);
        outcome("register", registry.documentRegistryRegisterDocumentSetB(submission));
        envelope("register", registry, messageId);
    }

    private ExtrinsicObjectType find() {
        AdhocQueryType query = new AdhocQueryType();
        query.setId(FIND_DOCUMENTS);
        query.getSlot().add(Metadata.slot("$XDSDocumentEntryPatientId", "'" + patient + "'"));
        query.getSlot().add(Metadata.slot("$XDSDocumentEntryStatus", "('" + APPROVED + "')"));
        ResponseOptionType option = new ResponseOptionType();
        option.setReturnType(ReturnType.LEAF_CLASS);
        option.setReturnComposedObjects(true);
        AdhocQueryRequest request = new AdhocQueryRequest();
        request.setResponseOption(option);
        request.setAdhocQuery(query);

        String messageId = announce(registry);
        AdhocQueryResponse response = registry.documentRegistryRegistryStoredQuery(request);
        outcome("find", response);
        envelope("find", registry, messageId);
        List<ExtrinsicObjectType> found = response.getRegistryObjectList().getIdentifiable().stream()
                .map(element -> (ExtrinsicObjectType) element.getValue()).toList();
        report("find.count", found.size());
        ExtrinsicObjectType entry = found.get(0);
        report("find.uniqueId", entry.getExternalIdentifier().stream()
                .filter(identifier -> Metadata.UNIQUE_ID.equals(identifier.getIdentificationScheme()))
                .map(ExternalIdentifierType::getValue).findFirst().orElseThrow());
        report("find.name", entry.getName().getLocalizedString().get(0).getValue());
        report("find.size", value(entry, "size"));
        report("find.hash", value(entry, "hash"));
        return entry;
    }

    private List<RetrieveDocumentSetResponseType.DocumentResponse> retrieve(
            String step, ExtrinsicObjectType entry, String... documents) {
        RetrieveDocumentSetRequestType request = new RetrieveDocumentSetRequestType();
        for (String document : documents) {
            var wanted = new RetrieveDocumentSetRequestType.DocumentRequest();
            wanted.setRepositoryUniqueId(value(entry, "repositoryUniqueId"));
            wanted.setDocumentUniqueId(document);
            request.getDocumentRequest().add(wanted);
        }
        String messageId = announce(repository);
        RetrieveDocumentSetResponseType response = repository.documentRepositoryRetrieveDocumentSet(request);
        outcome(step, response.getRegistryResponse());
        envelope(step, repository, messageId);
        report(step + ".count", response.getDocumentResponse().size());
        report(step + ".mimeType", response.getDocumentResponse().get(0).getMimeType());
        return response.getDocumentResponse();
    }

    private void outcome(String step, RegistryResponseType response) {
        report(step + ".status", response.getStatus());
        if (response.getRegistryErrorList() != null) {
            for (RegistryErrorType error : response.getRegistryErrorList().getRegistryError()) {
                report(step + ".error." + error.getErrorCode(), error.getCodeContext());
            }
        }
    }

    /** Chooses the MessageID of the next request. */
    private static String announce(Object port) {
        String messageId = "urn:uuid:" + UUID.randomUUID();
        AttributedURIType identifier = new AttributedURIType();
        identifier.setValue(messageId);
        AddressingProperties addressing = new AddressingProperties();
        addressing.setMessageID(identifier);
        ((BindingProvider) port).getRequestContext().put(JAXWSAConstants.CLIENT_ADDRESSING_PROPERTIES, addressing);
        return messageId;
    }

    /** What the answer's HTTP and WS-Addressing headers said. */
    private void envelope(String step, Object port, String messageId) {
        Map<String, Object> context = ((BindingProvider) port).getResponseContext();
        var received = (AddressingProperties) context.get(JAXWSAConstants.ADDRESSING_PROPERTIES_INBOUND);
        report(step + ".action", received.getAction().getValue());
        report(step + ".related", messageId.equals(received.getRelatesTo().getValue()));
        @SuppressWarnings("unchecked")
        var headers = (Map<String, List<String>>) context.get(MessageContext.HTTP_RESPONSE_HEADERS);
        headers.forEach((name, values) -> {
            if ("Content-Type".equalsIgnoreCase(name)) {
                report(step + ".contentType", values.get(0));
            }
        });
    }

    private static String value(ExtrinsicObjectType entry, String slot) {
        return entry.getSlot().stream().filter(candidate -> slot.equals(candidate.getName()))
                .map(SlotType1::getValueList).map(values -> values.getValue().get(0)).findFirst().orElseThrow();
    }

    private void report(String name, Object value) {
        report.add(name + "\t" + String.valueOf(value).replaceAll("\\s+", " "));
    }
}
