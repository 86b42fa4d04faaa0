package peer;

import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.llp.LLPException;
import ca.uhn.hl7v2.model.AbstractMessage;
import ca.uhn.hl7v2.model.DataTypeException;
import ca.uhn.hl7v2.model.v231.datatype.CX;
import ca.uhn.hl7v2.model.v231.message.ACK;
import ca.uhn.hl7v2.model.v231.message.ADT_A01;
import ca.uhn.hl7v2.model.v231.message.ADT_A39;
import ca.uhn.hl7v2.model.v231.segment.MSH;
import java.io.IOException;
import java.util.function.Function;
import org.hl7.v3.AcknowledgementDetail;
import org.hl7.v3.MCCIIN000002UV01;
import org.hl7.v3.PatientIdentityFeed;
import peer.feed.DocumentRegistryPortType;

/** Tells the gateway of its patients: HL7 v2 by HAPI over MLLP, plain or with TLS, HL7 v3 by the port that CXF made. */
final class Feeds {
    private final Report report;
    private final DocumentRegistryPortType registry;

    Feeds(Report report, DocumentRegistryPortType registry) {
        this.report = report;
        this.registry = registry;
    }

    /** ADT^A04 of a patient. */
    void register(String step, String patient, boolean tls) throws IOException, HL7Exception {
        ADT_A01 message = new ADT_A01();
        message.initQuickstart("ADT", "A04", "P");
        name(message.getMSH());
        write(message.getPID().getPatientIdentifierList(0), patient);
        send(step, message, tls);
    }

    /** ADT^A40: one patient is merged into another. */
    void merge(String step, String subsumed, String surviving, boolean tls) throws IOException, HL7Exception {
        ADT_A39 message = new ADT_A39();
        message.initQuickstart("ADT", "A40", "P");
        name(message.getMSH());
        var pair = message.getPIDPD1MRGPV1();
        write(pair.getPID().getPatientIdentifierList(0), surviving);
        write(pair.getMRG().getPriorPatientIdentifierList(0), subsumed);
        send(step, message, tls);
    }

    void addRecord(String step, String patient) {
        answer(step, registry::documentRegistryPRPAIN201301UV02, Identities.added(patient));
    }

    void resolveDuplicates(String step, String subsumed, String surviving) {
        answer(step, registry::documentRegistryPRPAIN201304UV02, Identities.merged(subsumed, surviving));
    }

    private void answer(
            String step, Function<PatientIdentityFeed, MCCIIN000002UV01> operation, PatientIdentityFeed request) {
        MCCIIN000002UV01 answer = report.announced(step, registry, operation, request);
        var acknowledgement = answer.getAcknowledgement().get(0);
        report.add(step + ".code", acknowledgement.getTypeCode().getCode());
        var target = acknowledgement.getTargetMessage().getId();
        report.add(step + ".target", request.getId().getRoot().equals(target.getRoot()));
        for (AcknowledgementDetail detail : acknowledgement.getAcknowledgementDetail()) {
            report.add(step + ".detail." + detail.getCode().getCode(), detail.getText().getValue());
        }
    }

    private void send(String step, AbstractMessage message, boolean tls) throws IOException, HL7Exception {
        int port = Integer.getInteger(tls ? "feed.tlsPort" : "feed.port");
        try (HapiContext context = new DefaultHapiContext()) {
            var initiator = context.newClient("localhost", port, tls).getInitiator();
            ACK answer = (ACK) initiator.sendAndReceive(message);
            report.add(step + ".code", answer.getMSA().getAcknowledgementCode().getValue());
        } catch (LLPException wrong) {
            throw new IOException(wrong);
        }
    }

    private static void name(MSH header) throws DataTypeException {
        header.getSendingApplication().getNamespaceID().setValue("HAPI");
        header.getSendingFacility().getNamespaceID().setValue("PEER");
    }

    /** An identifier as id^^^&oid&ISO. */
    private static void write(CX target, String patient) throws DataTypeException {
        target.getID().setValue(Identities.extension(patient));
        target.getAssigningAuthority().getUniversalID().setValue(Identities.root(patient));
        target.getAssigningAuthority().getUniversalIDType().setValue("ISO");
    }
}
