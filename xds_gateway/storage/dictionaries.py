"""Preset dictionaries of the compressed fragments: text as `codec.ebrim` renders it, by kind of object.

Blobs in databases refer to them by number: an entry of DICTIONARIES is never changed, only added.
"""

from typing import Final

_ENTRY: Final = (
    '<rim:ExtrinsicObject id="urn:uuid:00000000-0000-4000-8000-000000000000" lid="\0l" status="\0s"\0h objec'
    'tType="urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248" mimeType="application/pdf">'
    '<rim:Slot name="urn:ihe:iti:xds:2013:referenceIdList"><rim:ValueList><rim:Value>'
    "^^^&amp;1.2.250.1&amp;ISO^urn:ihe:iti:xds:2013:accession</rim:Value></rim:ValueList></rim:Slot>"
    '<rim:Slot name="documentAvailability"><rim:ValueList><rim:Value>'
    "urn:ihe:iti:2010:DocumentAvailability:Online</rim:Value></rim:ValueList></rim:Slot>"
    '<rim:Slot name="languageCode"><rim:ValueList><rim:Value>en-US</rim:Value></rim:ValueList></rim:Slot>'
    '<rim:Slot name="URI"><rim:ValueList></rim:ValueList></rim:Slot><rim:VersionInfo versionName="\0v"/>'
    "</rim:ExtrinsicObject>"
    '<rim:ExtrinsicObject id="urn:uuid:00000000-0000-4000-8000-000000000000" lid="\0l" status="\0s"\0h objec'
    'tType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1" mimeType="text/xml"><rim:Slot name="creationTime">'
    "<rim:ValueList><rim:Value>20240101000000</rim:Value></rim:ValueList></rim:Slot>"
    '<rim:Slot name="languageCode"><rim:ValueList><rim:Value>fr-FR</rim:Value></rim:ValueList></rim:Slot>'
    '<rim:Slot name="serviceStartTime"><rim:ValueList><rim:Value>20240101</rim:Value></rim:ValueList>'
    '</rim:Slot><rim:Slot name="serviceStopTime"><rim:ValueList><rim:Value>20240101</rim:Value></rim:ValueList>'
    '</rim:Slot><rim:Slot name="sourcePatientId"><rim:ValueList><rim:Value>1^^^&amp;1.2.3.9&amp;ISO</rim:Value>'
    '</rim:ValueList></rim:Slot><rim:Slot name="sourcePatientInfo"><rim:ValueList><rim:Value>'
    "PID-3|1^^^&amp;1.2.3.9&amp;ISO</rim:Value><rim:Value>PID-5|NOM^Prenom^^^Mme^^L</rim:Value><rim:Value>"
    "PID-7|19500101</rim:Value><rim:Value>PID-8|F</rim:Value></rim:ValueList></rim:Slot>"
    '<rim:Slot name="legalAuthenticator"><rim:ValueList><rim:Value>'
    "8^NOM^Prenom^^^Dr^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^IDNPS</rim:Value></rim:ValueList></rim:Slot>"
    '<rim:Slot name="hash"><rim:ValueList><rim:Value>da39a3ee5e6b4b0d3255bfef95601890afd80709</rim:Value>'
    '</rim:ValueList></rim:Slot><rim:Slot name="size"><rim:ValueList><rim:Value>1000</rim:Value>'
    '</rim:ValueList></rim:Slot><rim:Slot name="repositoryUniqueId"><rim:ValueList><rim:Value>'
    "1.2.250.1</rim:Value></rim:ValueList></rim:Slot><rim:Name>"
    '<rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="Compte rendu"/></rim:Name><rim:Description>'
    '<rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="Lettre"/></rim:Description>'
    '<rim:VersionInfo versionName="\0v"/>'
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationScheme="urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d" nodeRepre'
    'sentation=""><rim:Slot name="authorPerson"><rim:ValueList><rim:Value>'
    "8^NOM^Prenom^^^Dr^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^IDNPS</rim:Value></rim:ValueList></rim:Slot>"
    '<rim:Slot name="authorInstitution"><rim:ValueList><rim:Value>'
    "CABINET^^^^^&amp;1.2.250.1.71.4.2.2&amp;ISO^IDNST^^^38</rim:Value></rim:ValueList></rim:Slot>"
    '<rim:Slot name="authorRole"><rim:ValueList><rim:Value>Médecin traitant</rim:Value></rim:ValueList>'
    '</rim:Slot><rim:Slot name="authorSpecialty"><rim:ValueList><rim:Value>'
    "G15_10/SM26^Médecin - Qualifié en Médecine Générale (SM)^1.2.250.1.213.1.1.4.5</rim:Value></rim:ValueList>"
    "</rim:Slot></rim:Classification>"
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationScheme="urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a" nodeRepre'
    'sentation="10"><rim:Slot name="codingScheme"><rim:ValueList><rim:Value>1.2.250.1.213.1.1.4.1</rim:Value>'
    "</rim:ValueList></rim:Slot><rim:Name>"
    '<rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="Compte rendu"/></rim:Name>'
    "</rim:Classification>"
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationScheme="urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f" nodeRepre'
    'sentation="N"><rim:Slot name="codingScheme"><rim:ValueList><rim:Value>2.16.840.1.113883.5.25</rim:Value>'
    "</rim:ValueList></rim:Slot><rim:Name>"
    '<rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="Normal"/></rim:Name></rim:Classification>'
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationScheme="urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4" nodeRepre'
    'sentation="T"><rim:Slot name="codingScheme"><rim:ValueList><rim:Value>1.2.250.1.213.2</rim:Value>'
    '</rim:ValueList></rim:Slot><rim:Name><rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="Acte"/>'
    "</rim:Name></rim:Classification>"
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationScheme="urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d" nodeRepre'
    'sentation="urn:ihe:iti:xds-sd:text:2008"><rim:Slot name="codingScheme"><rim:ValueList><rim:Value>'
    "1.3.6.1.4.1.19376.1.2.3</rim:Value></rim:ValueList></rim:Slot><rim:Name>"
    '<rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="Document à corps non structuré"/></rim:Name>'
    "</rim:Classification>"
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationScheme="urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1" nodeRepre'
    'sentation="SA07"><rim:Slot name="codingScheme"><rim:ValueList><rim:Value>1.2.250.1.71.4.2.4</rim:Value>'
    "</rim:ValueList></rim:Slot><rim:Name>"
    '<rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="Cabinet individuel"/></rim:Name>'
    "</rim:Classification>"
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationScheme="urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead" nodeRepre'
    'sentation="AMBULATOIRE"><rim:Slot name="codingScheme"><rim:ValueList><rim:Value>'
    "1.2.250.1.213.1.1.4.9</rim:Value></rim:ValueList></rim:Slot><rim:Name>"
    '<rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="Ambulatoire"/></rim:Name>'
    "</rim:Classification>"
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationScheme="urn:uuid:f0306f51-975f-434e-a61c-c59651d33983" nodeRepre'
    'sentation="11488-4"><rim:Slot name="codingScheme"><rim:ValueList><rim:Value>'
    "2.16.840.1.113883.6.1</rim:Value></rim:ValueList></rim:Slot><rim:Name>"
    '<rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="CR de consultation"/></rim:Name>'
    "</rim:Classification>"
    '<rim:ExternalIdentifier id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:nam'
    'es:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier" registryObject="urn:uuid:00000000-0'
    '000-4000-8000-000000000000" identificationScheme="urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427" val'
    'ue="\0p"><rim:Name><rim:LocalizedString value="XDSDocumentEntry.patientId"/></rim:Name>'
    "</rim:ExternalIdentifier>"
    '<rim:ExternalIdentifier id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:nam'
    'es:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier" registryObject="urn:uuid:00000000-0'
    '000-4000-8000-000000000000" identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab" val'
    'ue="2.25."><rim:Name><rim:LocalizedString value="XDSDocumentEntry.uniqueId"/></rim:Name>'
    "</rim:ExternalIdentifier></rim:ExtrinsicObject>"
)

_PACKAGE: Final = (
    '<rim:RegistryPackage id="urn:uuid:00000000-0000-4000-8000-000000000000" lid="\0l" status="\0s"\0h>'
    '<rim:Slot name="lastUpdateTime"><rim:ValueList><rim:Value>\0t</rim:Value></rim:ValueList></rim:Slot>'
    '<rim:VersionInfo versionName="\0v"/>'
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationNode="urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2">'
    "</rim:Classification>"
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationScheme="urn:uuid:1ba97051-7806-41a8-a48b-8fce7af683c5" nodeRepre'
    'sentation="1"><rim:Slot name="codingScheme"><rim:ValueList><rim:Value>1.2.250.1</rim:Value>'
    "</rim:ValueList></rim:Slot><rim:Name>"
    '<rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="Dossier"/></rim:Name></rim:Classification>'
    '<rim:ExternalIdentifier id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:nam'
    'es:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier" registryObject="urn:uuid:00000000-0'
    '000-4000-8000-000000000000" identificationScheme="urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a" val'
    'ue="\0p"><rim:Name><rim:LocalizedString value="XDSFolder.patientId"/></rim:Name>'
    "</rim:ExternalIdentifier>"
    '<rim:ExternalIdentifier id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:nam'
    'es:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier" registryObject="urn:uuid:00000000-0'
    '000-4000-8000-000000000000" identificationScheme="urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a" val'
    'ue="2.25."><rim:Name><rim:LocalizedString value="XDSFolder.uniqueId"/></rim:Name></rim:ExternalIdentifier>'
    "</rim:RegistryPackage>"
    '<rim:RegistryPackage id="urn:uuid:00000000-0000-4000-8000-000000000000" lid="\0l" status="\0s"\0h objec'
    'tType="urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:RegistryPackage">'
    '<rim:Slot name="intendedRecipient"><rim:ValueList><rim:Value></rim:Value></rim:ValueList></rim:Slot>'
    '<rim:Slot name="homeCommunityId"><rim:ValueList><rim:Value>urn:oid:</rim:Value></rim:ValueList></rim:Slot>'
    '<rim:VersionInfo versionName="\0v"/></rim:RegistryPackage>'
    '<rim:RegistryPackage id="urn:uuid:00000000-0000-4000-8000-000000000000" lid="\0l" status="\0s"\0h>'
    '<rim:Slot name="submissionTime"><rim:ValueList><rim:Value>20240101120000</rim:Value></rim:ValueList>'
    '</rim:Slot><rim:Name><rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="Envoi"/></rim:Name>'
    '<rim:VersionInfo versionName="\0v"/>'
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd">'
    "</rim:Classification>"
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationScheme="urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d" nodeRepre'
    'sentation=""><rim:Slot name="authorPerson"><rim:ValueList><rim:Value>'
    "8^NOM^Prenom^^^Dr^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^IDNPS</rim:Value></rim:ValueList></rim:Slot>"
    '<rim:Slot name="authorInstitution"><rim:ValueList><rim:Value>'
    "CABINET^^^^^&amp;1.2.250.1.71.4.2.2&amp;ISO^IDNST^^^38</rim:Value></rim:ValueList></rim:Slot>"
    '<rim:Slot name="authorRole"><rim:ValueList><rim:Value>Médecin traitant</rim:Value></rim:ValueList>'
    '</rim:Slot><rim:Slot name="authorSpecialty"><rim:ValueList><rim:Value>'
    "G15_10/SM26^Médecin - Qualifié en Médecine Générale (SM)^1.2.250.1.213.1.1.4.5</rim:Value></rim:ValueList>"
    "</rim:Slot></rim:Classification>"
    '<rim:Classification id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:names:t'
    'c:ebxml-regrep:ObjectType:RegistryObject:Classification" classifiedObject="urn:uuid:00000000-0000-40'
    '00-8000-000000000000" classificationScheme="urn:uuid:aa543740-bdda-424e-8c96-df4873be8500" nodeRepre'
    'sentation="04"><rim:Slot name="codingScheme"><rim:ValueList><rim:Value>1.2.250.1.213.2.2</rim:Value>'
    "</rim:ValueList></rim:Slot><rim:Name>"
    '<rim:LocalizedString charset="UTF-8" xml:lang="fr-FR" value="Hospitalisation"/></rim:Name>'
    "</rim:Classification>"
    '<rim:ExternalIdentifier id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:nam'
    'es:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier" registryObject="urn:uuid:00000000-0'
    '000-4000-8000-000000000000" identificationScheme="urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446" val'
    'ue="\0p"><rim:Name><rim:LocalizedString value="XDSSubmissionSet.patientId"/></rim:Name>'
    "</rim:ExternalIdentifier>"
    '<rim:ExternalIdentifier id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:nam'
    'es:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier" registryObject="urn:uuid:00000000-0'
    '000-4000-8000-000000000000" identificationScheme="urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832" val'
    'ue="1.2.250.1"><rim:Name><rim:LocalizedString value="XDSSubmissionSet.sourceId"/></rim:Name>'
    "</rim:ExternalIdentifier>"
    '<rim:ExternalIdentifier id="urn:uuid:00000000-0000-4000-8000-000000000000" objectType="urn:oasis:nam'
    'es:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier" registryObject="urn:uuid:00000000-0'
    '000-4000-8000-000000000000" identificationScheme="urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8" val'
    'ue="2.25."><rim:Name><rim:LocalizedString value="XDSSubmissionSet.uniqueId"/></rim:Name>'
    "</rim:ExternalIdentifier></rim:RegistryPackage>"
)

_ASSOCIATION: Final = (
    "urn:ihe:iti:2007:AssociationType:signsurn:ihe:iti:2007:AssociationType:APNDurn:ihe:iti:2007:Associat"
    'ionType:XFRMurn:ihe:iti:2007:AssociationType:RPLC<rim:Association id="urn:uuid:00000000-0000-4000-80'
    '00-000000000000" lid="\0l" status="\0s"\0h objectType="urn:oasis:names:tc:ebxml-regrep:ObjectType:Regis'
    'tryObject:Association" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember" s'
    'ourceObject="urn:uuid:00000000-0000-4000-8000-000000000000" targetObject="urn:uuid:00000000-0000-400'
    '0-8000-000000000000"><rim:Slot name="SubmissionSetStatus"><rim:ValueList><rim:Value>Original</rim:Value>'
    '</rim:ValueList></rim:Slot><rim:VersionInfo versionName="\0v"/></rim:Association>'
)

DICTIONARIES: Final = {
    1: _ENTRY.encode(),
    2: _PACKAGE.encode(),
    3: _ASSOCIATION.encode(),
}
