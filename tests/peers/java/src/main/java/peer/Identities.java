package peer;

import java.util.UUID;
import org.hl7.v3.CE;
import org.hl7.v3.CS;
import org.hl7.v3.CommunicationFunction;
import org.hl7.v3.ControlActProcess;
import org.hl7.v3.Device;
import org.hl7.v3.II;
import org.hl7.v3.Open;
import org.hl7.v3.Patient;
import org.hl7.v3.PatientIdentityFeed;
import org.hl7.v3.PatientSubject;
import org.hl7.v3.PriorRegisteredRole;
import org.hl7.v3.PriorRegistration;
import org.hl7.v3.PriorSubject;
import org.hl7.v3.RegistrationEvent;
import org.hl7.v3.RegistrationSubject;
import org.hl7.v3.ReplacementOf;
import org.hl7.v3.TS;

/** Messages of ITI-44 about patients, each an identifier as id^^^&oid&ISO. */
final class Identities {
    private static final String INTERACTIONS = "2.16.840.1.113883.1.6";

    private Identities() {}

    static PatientIdentityFeed added(String patient) {
        return message("201301UV02", event(patient));
    }

    static PatientIdentityFeed merged(String subsumed, String surviving) {
        PriorRegisteredRole role = new PriorRegisteredRole();
        role.getId().add(id(root(subsumed), extension(subsumed)));
        PriorSubject subject = new PriorSubject();
        subject.setPriorRegisteredRole(role);
        PriorRegistration prior = new PriorRegistration();
        prior.setStatusCode(code("obsolete"));
        prior.setSubject1(subject);
        ReplacementOf replacement = new ReplacementOf();
        replacement.setPriorRegistration(prior);
        RegistrationEvent event = event(surviving);
        event.getReplacementOf().add(replacement);
        return message("201304UV02", event);
    }

    static String extension(String patient) {
        return patient.split("\\^")[0];
    }

    static String root(String patient) {
        return patient.split("&")[1];
    }

    private static RegistrationEvent event(String identifier) {
        Patient patient = new Patient();
        patient.getId().add(id(root(identifier), extension(identifier)));
        patient.setStatusCode(code("active"));
        patient.setPatientPerson(new Open());
        PatientSubject subject = new PatientSubject();
        subject.setPatient(patient);
        RegistrationEvent event = new RegistrationEvent();
        event.setStatusCode(code("active"));
        event.setSubject1(subject);
        event.setCustodian(new Open());
        return event;
    }

    private static PatientIdentityFeed message(String number, RegistrationEvent event) {
        RegistrationSubject subject = new RegistrationSubject();
        subject.setRegistrationEvent(event);
        CE trigger = new CE();
        trigger.setCode("PRPA_TE" + number);
        trigger.setCodeSystem(INTERACTIONS);
        ControlActProcess act = new ControlActProcess();
        act.setCode(trigger);
        act.getSubject().add(subject);
        TS now = new TS();
        now.setValue("20260102030405");

        PatientIdentityFeed message = new PatientIdentityFeed();
        message.setITSVersion("XML_1.0");
        message.setId(id(UUID.randomUUID().toString(), null));
        message.setCreationTime(now);
        message.setInteractionId(id(INTERACTIONS, "PRPA_IN" + number));
        message.setProcessingCode(code("P"));
        message.setProcessingModeCode(code("T"));
        message.setAcceptAckCode(code("AL"));
        message.getReceiver().add(device("2.25.90000000000000002"));
        message.setSender(device("2.25.90000000000000001"));
        message.setControlActProcess(act);
        return message;
    }

    private static CommunicationFunction device(String root) {
        Device device = new Device();
        device.getId().add(id(root, null));
        CommunicationFunction function = new CommunicationFunction();
        function.setDevice(device);
        return function;
    }

    private static II id(String root, String extension) {
        II identifier = new II();
        identifier.setRoot(root);
        identifier.setExtension(extension);
        return identifier;
    }

    private static CS code(String value) {
        CS code = new CS();
        code.setCode(value);
        return code;
    }
}
