"""XML namespaces of SOAP, WS-Addressing, WS-Security, SAML, ebXML RegRep 3.0 and HL7 v3 (ITI TF-2 V, 3.40, O)."""

from typing import Final

RIM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
LCM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
RS: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
QUERY: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"

SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
WSA: Final = "http://www.w3.org/2005/08/addressing"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
HL7V3: Final = "urn:hl7-org:v3"

XDSB: Final = "urn:ihe:iti:xds-b:2007"
RMD: Final = "urn:ihe:iti:rmd:2017"
XOP: Final = "http://www.w3.org/2004/08/xop/include"

GATEWAY: Final = "urn:xds-gateway:2026"  # ours: the header DryRun, and slots of its answer
