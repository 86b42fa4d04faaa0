"""Settings of domains, and of the mounts that serve them."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from .issuers import DEMO_AUDIENCE
from .values import (
    AuthorityName,
    CodeText,
    Count,
    DomainName,
    HookName,
    MountPath,
    Oid,
    OidUrn,
    Seconds,
    Section,
    Unit,
    comma_separated,
)

DEMO_REPOSITORY_OID: Final = "2.25.301874956204417238860571940135726918043"

LINK_CHANGE_SCHEME: Final = "2.25.337875802779500621550248090987354017689"


class Domain(Section):
    """Data of its own: patients, entries and documents, with one profile and one repository."""

    name: DomainName = Field(default="default", description="Name that mounts refer to.")
    profile: Literal["ihe"] = Field(
        default="ihe",
        description='Rules that a submission must keep: "ihe" is ITI TF-3 as written.',
    )
    patients: Literal["open", "fed"] = Field(
        default="open",
        description='"open" knows a patient from the first submission, "fed" only from an identity feed '
        "(feed-patients.md).",
    )
    merged_patients: Literal["refuse", "follow"] = Field(
        default="refuse",
        description='Submissions that name a patient who was merged into another one: "refuse" answers '
        'XDSUnknownPatientId as the standard says, "follow" takes them for the surviving patient.',
    )
    repository_unique_id: Oid = Field(
        default=DEMO_REPOSITORY_OID,
        description="repositoryUniqueId of the domain's Document Repository; the default is for demonstrations, "
        "a real repository needs an OID of its own.",
    )
    home_community_id: OidUrn | None = Field(
        default=None, description="homeCommunityId put on what is returned, as urn:oid:...; none when not set."
    )
    assigning_authorities: Annotated[tuple[Oid, ...], BeforeValidator(comma_separated)] = Field(
        default=(),
        description="OIDs of the assigning authorities whose patient identifiers are accepted (in a variable, with "
        "commas between); empty accepts all.",
    )
    authority_names: Annotated[tuple[AuthorityName, ...], BeforeValidator(comma_separated)] = Field(
        default=(),
        description="OIDs by the names that identity feeds write instead, as NAME=OID (in a variable, with commas "
        "between).",
    )
    value_sets: Annotated[tuple[Path, ...], BeforeValidator(comma_separated)] = Field(
        default=(),
        description="Files of value sets, SVS XML or codes.xml, that become the lists of their attributes when the "
        "gateway starts (load-value-sets.md; in a variable, with commas between).",
    )
    link_change_code: CodeText = Field(
        default=f"xad-pid-link-change^Documents moved to another patient^{LINK_CHANGE_SCHEME}",
        description="contentTypeCode of the submission sets that ITI-64 makes, as CODE^NAME^SCHEME; the default has a "
        "scheme of our own.",
    )
    link_change_source: Oid | None = Field(
        default=None,
        description="sourceId of these submission sets, an OID, for senders whose MSH-3 is none; not set, their "
        "messages are refused.",
    )
    access: Path | None = Field(
        default=None,
        description="TOML file of the domain's access matrix, who may do what (decide-access.md); that of the profile "
        "when not set.",
    )
    max_results: Annotated[Count, Unit("objects")] = Field(
        default=5000,
        description="Most objects that a query may return; above it the answer is XDSTooManyResults.",
    )
    retries: Literal["safe", "strict"] = Field(
        default="safe",
        description='"safe" answers a submission that the same caller sends again with its first outcome and stores it '
        'once (retry-safely.md), "strict" refuses it as a duplicate, as the standard\'s text says.',
    )
    audiences: Annotated[tuple[str, ...], BeforeValidator(comma_separated)] = Field(
        default=(DEMO_AUDIENCE,),
        description="Names that assertions may give this domain in AudienceRestriction, as URIs (in a variable, with "
        "commas between); the default is for demonstrations.",
    )
    allow_reset: bool = Field(
        default=False,
        description="Let `xds-gateway reset` remove everything of the domain but its audit: for tests only.",
    )
    on_demand: HookName | None = Field(
        default=None,
        description="Python function that makes the documents of on-demand entries, as module:function "
        "(on-demand.md); none are made when not set.",
    )
    on_demand_seconds: Seconds = Field(
        default=20, description="Longest time that one on-demand document may take; then it is XDSRepositoryError."
    )
    on_demand_at_once: Annotated[int, Field(ge=1, le=64), Unit("documents")] = Field(
        default=8,
        description="Most on-demand documents being made at one time in each worker process, each in a thread; further "
        "ones are answered XDSRepositoryBusy.",
    )
    on_demand_persistence: bool = Field(
        default=False,
        description="Keep each on-demand document that is given out, and register it as a snapshot before the answer.",
    )


class Mount(Section):
    """A path prefix over one domain: PATH/registry and PATH/repository are its endpoints."""

    path: MountPath = Field(default="/services", description="Path prefix of the endpoints.")
    domain: DomainName = Field(default="default", description="Name of the domain that it serves.")
    authentication: Literal["certificate", "none"] = Field(
        default="certificate",
        description='"certificate" wants a client certificate (a listener with tls = "mutual"), "none" takes anyone.',
    )
    assertions: Literal["required", "optional", "off"] = Field(
        default="required",
        description='Assertions about the user (ITI-40): "required" refuses a request without one, "optional" takes '
        'it; both refuse a wrong one. "off" reads none and knows nodes only.',
    )
    tell_refusals: bool = Field(
        default=False,
        description="Tell in the SOAP fault why an assertion was refused: for tests only, it helps attackers as well.",
    )
    metadata: Literal["full", "limited"] = Field(
        default="full",
        description='"limited" also accepts objects flagged as limited metadata in ITI-41 (a Document Recipient), '
        '"full" refuses them.',
    )
    dry_run: bool = Field(
        default=True,
        description="Perform the requests that ask for a dry run by the header DryRun: judged in full, nothing "
        "changed. Otherwise they are refused.",
    )
