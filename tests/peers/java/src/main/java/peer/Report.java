package peer;

import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.handler.MessageContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import oasis.names.tc.ebxml_regrep.xsd.rs._3.RegistryErrorType;
import oasis.names.tc.ebxml_regrep.xsd.rs._3.RegistryResponseType;
import org.apache.cxf.ws.addressing.AddressingProperties;
import org.apache.cxf.ws.addressing.AttributedURIType;
import org.apache.cxf.ws.addressing.JAXWSAConstants;

/** Sends requests and writes down what came back, one "name TAB value" a line. */
final class Report {
    private final List<String> lines = new ArrayList<>();

    /** Sends one request whose answer is a registry response, or has one. */
    <P, Q, A extends RegistryResponseType> A exchange(String step, P port, Function<Q, A> operation, Q request) {
        return exchange(step, port, operation, request, answer -> answer);
    }

    <P, Q, A> A exchange(
            String step, P port, Function<Q, A> operation, Q request, Function<A, RegistryResponseType> outcome) {
        A answer = announced(step, port, operation, request);
        outcome(step, outcome.apply(answer));
        return answer;
    }

    /** Sends one request with a MessageID of its own, whatever the answer is. */
    <P, Q, A> A announced(String step, P port, Function<Q, A> operation, Q request) {
        String messageId = announce(port);
        A answer = operation.apply(request);
        envelope(step, port, messageId);
        return answer;
    }

    void add(String name, Object value) {
        lines.add(name + "\t" + String.valueOf(value).replaceAll("\\s+", " "));
    }

    void write(Path file) throws IOException {
        Files.write(file, lines);
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

    private void outcome(String step, RegistryResponseType response) {
        add(step + ".status", response.getStatus());
        if (response.getRegistryErrorList() != null) {
            for (RegistryErrorType error : response.getRegistryErrorList().getRegistryError()) {
                add(step + ".error." + error.getErrorCode(), error.getCodeContext());
            }
        }
    }

    /** What the answer's HTTP and WS-Addressing headers said. */
    private void envelope(String step, Object port, String messageId) {
        Map<String, Object> context = ((BindingProvider) port).getResponseContext();
        var received = (AddressingProperties) context.get(JAXWSAConstants.ADDRESSING_PROPERTIES_INBOUND);
        add(step + ".action", received.getAction().getValue());
        add(step + ".related", messageId.equals(received.getRelatesTo().getValue()));
        @SuppressWarnings("unchecked")
        var headers = (Map<String, List<String>>) context.get(MessageContext.HTTP_RESPONSE_HEADERS);
        headers.forEach((name, values) -> {
            if ("Content-Type".equalsIgnoreCase(name)) {
                add(step + ".contentType", values.get(0));
            }
        });
    }
}
