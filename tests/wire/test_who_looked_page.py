"""The page about who looked, run as it stands: its settings, its commands, and what they tell."""

import tomllib

from tests.documents import CHECKOUT, blocks

from .test_docs_examples import make_place

PAGE = CHECKOUT / "docs" / "who-looked.md"


def test_the_page_does_what_it_says(start_gateway, pki, tmp_path):
    (text,) = blocks(PAGE, "toml")
    settings = tomllib.loads(text)
    assert settings["listeners"].pop()["port"] == 8443
    files = pki.files
    settings["listeners"] = [
        {"port": 0, "certificate": files.server_certificate, "key": files.server_key, "client_ca": files.ca}
    ]
    settings["issuers"] = [{"certificates": [str(files.issuer_certificate)]}]
    settings["audit"]["anchor_key"] = files.audit_key
    gateway = start_gateway(workers=2, **settings)
    folder = tmp_path / "checkout"
    folder.mkdir()
    place = make_place(folder, gateway, pki)
    (folder / "gateway.toml").write_text((gateway.log.parent / "gateway.toml").read_text())
    accesses, who_looked, verify, hand_out = blocks(PAGE, "sh")
    place.run(accesses)
    told = place.run(who_looked).decode()
    for words in (
        "Dr Claire Martin",
        "Physician",
        "Cabinet Martin",
        "treatment",
        "searched by FindDocuments",
        "granted",
    ):
        assert words in told
    assert "Compte rendu de consultation" in told
    assert "claire.martin" in told
    assert "0 problems" in place.run(verify).decode().replace("no problems", "0 problems")
    *_, last = place.run(hand_out).decode().splitlines()
    assert '"resourceType":"AuditEvent"' in last
