"""Configurations that come with the program, by the name that `--config` takes instead of a file."""

from typing import Final

CONFORMANCE: Final = """\
# For conformance tests on one machine: no assertion, no client certificate, plain HTTP, loopback only.
# Paths are taken from the folder in which the gateway is started.

data_folder = "var/conformance/data"
workers = 2

[[listeners]]
host = "127.0.0.1"
port = 8480
tls = "off"                      # "server": TLS without client certificates, keys from `xds-gateway pki`

[[domains]]
name = "conformance"
# The three that a test kit asks for; an empty list accepts the identifiers of every authority.
repository_unique_id = "2.25.214710982541077331925486380712364159022"
home_community_id = "urn:oid:2.25.98107356264478159010672203417852266431"
assigning_authorities = []
value_sets = []                  # the kit's ["codes.xml"]: other codes are refused; empty: any code is accepted
patients = "open"                # "fed": patients that no feed has told of are refused
retries = "strict"
allow_reset = true
on_demand = "xds_gateway.actors.sample_on_demand:make"
on_demand_persistence = true
link_change_source = "2.25.174274098702388195048590541826824735181"  # ITI-64 from senders without an OID in MSH-3

[[feeds]]                        # Patient Identity Feed: ITI-8 and ITI-64 over MLLP; ITI-44 is at each mount, /patients
host = "127.0.0.1"
port = 2575
tls = "off"
domain = "conformance"

[[mounts]]                       # Document Registry, Document Repository, Update Responder
path = "/services"
domain = "conformance"
authentication = "none"
assertions = "off"

[[mounts]]                       # the same as a Document Recipient: limited metadata is accepted
path = "/recipient"
domain = "conformance"
authentication = "none"
assertions = "off"
metadata = "limited"

[wire_log]
folder = "var/conformance/wire"
"""

SHIPPED: Final = {"conformance": CONFORMANCE}
