"""Settings come from one file and from variables, and a mistake is told in one sentence."""

from pathlib import Path

import pytest

from xds_gateway.config import ConfigurationError, LoadedSettings, check_files, describe, load

MiB = 2**20


def load_text(folder: Path, text: str, **variables: str) -> LoadedSettings:
    file = folder / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, {f"XDS_GATEWAY_{name}": value for name, value in variables.items()})


def problems(folder: Path, text: str, **variables: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load_text(folder, text, **variables)
    return caught.value.problems


def shown(settings: LoadedSettings) -> dict[str, tuple[object, str]]:
    return {row.name: (row.value, row.source) for row in describe(settings)}


def test_without_file_and_variables_every_setting_is_the_default():
    settings = load(None, {})
    assert {source for _, source in shown(settings).values()} == {"default"}
    assert settings.public_url == "https://localhost:8443"
    assert settings.database_url == "sqlite:///var/data/registry.sqlite3"
    assert settings.domain("default").patients == "open"


@pytest.mark.parametrize(
    ("text", "variables", "name", "value", "source"),
    [
        ("workers = 4", {}, "workers", 4, "file"),
        ("workers = 4", {"WORKERS": "3"}, "workers", 3, "environment XDS_GATEWAY_WORKERS"),
        ("workers = 4", {"WORKERS": ""}, "workers", 4, "file"),
        ("limits.envelope_bytes = '16 MiB'", {}, "limits.envelope_bytes", 16 * MiB, "file"),
        ("", {"LIMITS__ENVELOPE_BYTES": "9MiB"}, "limits.envelope_bytes", 9 * MiB, "environment"),
        ("", {"LIMITS": '{"xml_depth": 50}'}, "limits.xml_depth", 50, "environment XDS_GATEWAY_LIMITS"),
        ("", {"LISTENERS__0__PORT": "9443"}, "listeners[0].port", 9443, "environment XDS_GATEWAY_LISTENERS__0"),
        ("", {"DOMAINS": '[{"name": "default", "max_results": 7}]'}, "domains[0].max_results", 7, "environment"),
        ("[[listeners]]\nport = 1\n[[listeners]]\nport = 2", {}, "listeners[1].port", 2, "file"),
        ("", {"DOMAINS__0__ASSIGNING_AUTHORITIES": "1.2,1.3"}, "domains[0].assigning_authorities", ("1.2", "1.3"), ""),
        ("public_url = 'https://x.org/'", {}, "public_url", "https://x.org", "file"),
        ("[[listeners]]\nport = 9000", {}, "public_url", "https://localhost:9000", "default"),
    ],
)  # fmt: skip
def test_a_variable_wins_over_the_file_and_the_file_over_the_default(tmp_path, text, variables, name, value, source):
    got, where = shown(load_text(tmp_path, text, **variables))[name]
    assert got == value
    assert where.startswith(source)


def test_a_numbered_variable_changes_one_value_of_a_table_of_the_file(tmp_path):
    text = "[[listeners]]\nport = 9000\nhost = '::1'\n[[listeners]]\nport = 9001"
    settings = load_text(tmp_path, text, LISTENERS__0__PORT="9002")
    assert [(each.host, each.port) for each in settings.listeners] == [("::1", 9002), ("127.0.0.1", 9001)]


def test_a_numbered_variable_can_add_a_table(tmp_path):
    settings = load_text(tmp_path, "", LISTENERS__1__PORT="9002")
    assert [each.port for each in settings.listeners] == [8443, 9002]


def test_the_file_can_be_named_by_a_variable(tmp_path):
    (tmp_path / "gateway.toml").write_text("workers = 7", encoding="utf-8")
    assert load(None, {"XDS_GATEWAY_CONFIG": str(tmp_path / "gateway.toml")}).workers == 7


def test_lists_of_files_start_at_the_folder_of_the_file_too(tmp_path):
    text = "[[domains]]\nvalue_sets = ['codes.xml', '/lists/type.xml']"
    (domain,) = load_text(tmp_path, text).domains
    assert domain.value_sets == (tmp_path / "codes.xml", Path("/lists/type.xml"))
    settings = load_text(tmp_path, text, DOMAINS__0__VALUE_SETS="one.xml, two.xml")
    assert settings.domains[0].value_sets == (Path("one.xml"), Path("two.xml"))
    assert shown(settings)["domains[0].value_sets"][0] == ("one.xml", "two.xml")


def test_relative_paths_of_the_file_start_at_its_folder(tmp_path):
    text = "data_folder = 'data'\n[[listeners]]\nkey = 'server.key'\ncertificate = '/etc/server.crt'"
    settings = load_text(tmp_path, text, LISTENERS__0__CLIENT_CA="ca.crt")
    listener = settings.listeners[0]
    assert settings.data_folder == tmp_path / "data"
    assert settings.database_url == f"sqlite:///{tmp_path.as_posix()}/data/registry.sqlite3"
    assert (listener.key, listener.certificate) == (tmp_path / "server.key", Path("/etc/server.crt"))
    assert listener.client_ca == Path("ca.crt")


ANYONE = {"MOUNTS__0__AUTHENTICATION": "none", "MOUNTS__0__ASSERTIONS": "off"}

FAMILY = "[[certificate_families]]\nfamily = 'x'\nkind = 'software'\n"

MISTAKES = [
    # text of the file, variables, what the sentence says
    ("foo = 1", {}, "There is no setting foo"),
    ("worker = 1", {}, "did you mean workers?"),
    ("[limits]\nxml_dept = 1", {}, "no setting limits.xml_dept"),
    ("[limits]\nxml_dept = 1", {}, "did you mean xml_depth?"),
    ("[[listeners]]\nprot = 1", {}, "no setting listeners[0].prot"),
    ("port = 1", {}, "did you mean listeners[0].port?"),
    ("", {"FOO": "1"}, "variable XDS_GATEWAY_FOO"),
    ("", {"WORKRES": "1"}, "did you mean workers?"),
    ("", {"LIMITS__XML_DEPT": "1"}, "did you mean xml_depth?"),
    ("", {"LISTENERS__0__PROT": "1"}, "did you mean port?"),
    ("", {"LISTENERS__1000000000__PORT": "1"}, "There is no setting listeners.1000000000"),
    ("", {"LIMITS__XML_DEPTH__X": "1"}, "There is no setting limits.xml_depth.x"),
    ("workers = 0", {}, "workers (file"),
    ("workers = 0", {}, "write 1 or more."),
    ("workers = 'two'", {}, 'is "two": write a whole number.'),
    ("", {"WORKERS": "two"}, "(environment XDS_GATEWAY_WORKERS)"),
    ("limits.envelope_bytes = '8 MB'", {}, "limits.envelope_bytes"),
    ("limits.xml_depth = 5.5", {}, "write a whole number."),
    ("limits.header_seconds = 0", {}, "write a number above 0"),
    ("limits = 4", {}, "limits (file"),
    ("listeners = 4", {}, "write a list"),
    ("listeners = []", {}, "write at least one."),
    ("[listeners]\nport = 1", {}, "write a list"),
    ("", {"LISTENERS": "8443"}, "write a list"),
    ("", {"LISTENERS": "nonsense"}, "XDS_GATEWAY_LISTENERS holds a whole table and is not JSON"),
    ("", {"LISTENERS": "[]", "LISTENERS__0__PORT": "1"}, "keep one of the two forms"),
    ("[[listeners]]\ntls = 'on'", {}, "write 'mutual', 'server' or 'off'."),
    ("[[listeners]]\nport = 70000", {}, "write 65535 or less."),
    ("[[listeners]]\nhost = ''", {}, "write some text."),
    ("[[listeners]]\n[[listeners]]", {}, "2 listeners or feeds have host 127.0.0.1 and port 8443"),
    ("[[listeners]]\nhost = '0.0.0.0'\ntls = 'off'", ANYONE, 'tls = "off" on 0.0.0.0'),
    ("[[listeners]]\nhost = 'gw.example.org'\ntls = 'off'", ANYONE, 'tls = "off" on gw.example.org'),
    ("[[listeners]]\ntls = 'server'", {}, "mounts[0] wants client certificates and no listener asks for them"),
    ("[[listeners]]\ntrust = 'pinned'", {}, "nothing is pinned"),
    ("[[listeners]]\npinned_certificates = ['a.crt']", {}, 'set trust to "pinned", or to "either"'),
    ("[[listeners]]\npinned_fingerprints = ['12']", {}, "write the 64 hexadecimal digits"),
    ("[[listeners]]\nrevocation = 'off'", {}, "write 'hard' or 'soft'."),
    ("[[listeners]]\nproxies = ['192.0.2.1']", {}, "no header that they tell by"),
    ("[[listeners]]\ncertificate_header = 'X-Cert'", {}, "takes the header x-cert from nobody"),
    ("[[listeners]]\nproxies = ['192.0.2.1/8']\naddress_header = 'X'", {}, "write an address or a network"),
    ("[[listeners]]\nproxies = ['192.0.2.1']\naddress_header = 'X Y'", {}, "write the name of a header"),
    ("[[feeds]]\ntls = 'off'\nproxies = ['192.0.2.1']", {}, "no setting feeds[0].proxies"),
    (f"{FAMILY}identifier = []", {}, "write at least one place"),
    (f"{FAMILY}identifier = ['XY']", {}, "write where it is: CN,"),
    (f"{FAMILY}identifier = ['CN']\nsubject = ['OU']", {}, "such as OU="),
    (f"{FAMILY}identifier = ['CN']\nissuer = ['OU=(']", {}, "is no regular expression"),
    ("[[mounts]]\ndomain = 'defualt'", {}, 'mounts[0].domain is "defualt": write one of the domains, "default".'),
    ("[[mounts]]\n[[mounts]]", {}, "2 mounts have the path /services"),
    ("[[mounts]]\npath = 'services'", {}, "write a path that begins with /"),
    ("[[mounts]]\npath = '/services/'", {}, "does not end with /"),
    ("[[domains]]\n[[domains]]\nrepository_unique_id = '1.2'", {}, '2 domains have the name "default"'),
    ("[[domains]]\n[[domains]]\nname = 'other'", {}, "2 domains have repository_unique_id"),
    ("[[domains]]\nrepository_unique_id = '1.02'", {}, "write an OID in dotted decimals"),
    ("[[domains]]\nhome_community_id = '1.2'", {}, "write urn:oid: and an OID"),
    ("[[domains]]\nassigning_authorities = ['x']", {}, "domains[0].assigning_authorities[0]"),
    ("[[domains]]\nvalue_sets = 'codes.xml'", {}, "write a list"),
    ("[[domains]]\nname = 'A b'", {}, "write lower-case letters"),
    ("[[domains]]\nprofile = 'dmp'", {}, "write 'ihe'."),
    ("public_url = 'gateway.example.org'", {}, "write https://"),
    ("database_url = 'oracle://u:secret@db/x'", {}, "oracle://u:***@db/x"),
    ("soap.sender_fault_status = 401", {}, "write 400 or 500."),
    ("limits.envelope_bytes = '1 MiB'", {}, "limits.inline_document as base64 exceeds limits.envelope_bytes"),
    ("limits.body_bytes = '1 GiB'", {}, "limits.document_bytes is larger than limits.body_bytes"),
    ("limits.spool_in_flight_bytes = '1 GiB'", {}, "limits.document_bytes is larger than limits.spool_in_flight"),
    ("limits.inline_document = '8 MiB'", {}, "limits.inline_document"),
    ("workers =", {}, "is not TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "variables", "says"), MISTAKES)
def test_a_mistake_is_one_sentence_that_says_what_to_do(tmp_path, text, variables, says):
    (sentence,) = problems(tmp_path, text, **variables)
    assert says in sentence
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence


def test_all_mistakes_are_told_at_once(tmp_path):
    assert len(problems(tmp_path, "workers = 0\nlog.level = 'x'\nlimits.xml_depth = 1")) == 3
    assert len(problems(tmp_path, "foo = 0\nbar = 1", BAZ="2")) == 3


@pytest.mark.parametrize(
    "text",
    [
        "[[listeners]]\ntls = 'off'\n[[mounts]]\nauthentication = 'none'",
        "[[listeners]]\ntls = 'off'\nhost = '::1'\n[[mounts]]\nauthentication = 'none'",
        "[[listeners]]\ntls = 'off'\nhost = 'localhost'\n[[mounts]]\nauthentication = 'none'",
        "[[listeners]]\ntls='off'\nhost='0.0.0.0'\nallow_plain_beyond_loopback=true\n[[mounts]]\nauthentication='none'",
        "[[listeners]]\nport = 0\n[[listeners]]\nport = 0",
        "[[domains]]\n[[domains]]\nname = 'other'\nrepository_unique_id = '1.2'\n[[mounts]]\nassertions = 'off'",
        "[[mounts]]\n[[mounts]]\npath = '/open'\nauthentication = 'none'",
    ],
)
def test_what_differs_only_there_from_a_mistake_is_accepted(tmp_path, text):
    assert load_text(tmp_path, text).listeners


@pytest.mark.parametrize(
    ("table", "url"),
    [
        ("port = 9000", "https://localhost:9000"),
        ("host = '0.0.0.0'", "https://localhost:8443"),
        ("host = '192.0.2.7'", "https://192.0.2.7:8443"),
        ("host = '2001:db8::7'", "https://[2001:db8::7]:8443"),
        ("host = 'gateway.example.org'", "https://gateway.example.org:8443"),
    ],
)
def test_the_public_url_follows_the_first_listener_until_it_is_set(tmp_path, table, url):
    assert load_text(tmp_path, f"[[listeners]]\n{table}").public_url == url


def test_a_missing_or_unreadable_file_is_a_sentence(tmp_path):
    with pytest.raises(ConfigurationError, match="does not exist: correct its path"):
        load(tmp_path / "absent.toml", {})
    (tmp_path / "latin.toml").write_bytes("# é".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="is not TOML"):
        load(tmp_path / "latin.toml", {})


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("postgresql://user:secret@db/x", "postgresql://user:***@db/x"),
        ("postgresql+psycopg://user:s:e/cret@db/x", "postgresql+psycopg://user:***@db/x"),
        ("postgresql://db/x?user=u&password=secret&sslmode=require", "postgresql://db/x?user=u&password=***&sslmode=require"),
        ("sqlite:///var/x.db", "sqlite:///var/x.db"),
    ],
)  # fmt: skip
def test_a_password_is_masked_when_settings_are_shown(tmp_path, url, masked):
    settings = load_text(tmp_path, f"database_url = '{url}'")
    assert shown(settings)["database_url"][0] == masked
    assert settings.database_url == url


def test_settings_are_frozen():
    settings = load(None, {})
    with pytest.raises(ValueError, match="frozen"):
        settings.workers = 3
    with pytest.raises(ValueError, match="frozen"):
        settings.limits.xml_depth = 3


def test_files_that_are_there_pass(tmp_path):
    for name in ("server.crt", "server.key", "ca.crt", "issuer.crt"):
        (tmp_path / name).touch()
    text = (
        "data_folder = 'data/deep'\n[wire_log]\nfolder = 'wire'\n"
        "[[listeners]]\ncertificate = 'server.crt'\nkey = 'server.key'\nclient_ca = 'ca.crt'\n"
        "[[issuers]]\ncertificates = ['issuer.crt']"
    )
    check_files(load_text(tmp_path, text))
    assert (tmp_path / "data" / "deep").is_dir()
    assert (tmp_path / "wire").is_dir()


@pytest.mark.parametrize(
    ("tls", "missing"),
    [("mutual", ("certificate", "key", "client_ca")), ("server", ("certificate", "key")), ("off", ())],
)
def test_each_missing_file_is_named_with_its_setting(tmp_path, tls, missing):
    (tmp_path / "occupied").touch()
    text = (
        f"data_folder = 'occupied'\n[[listeners]]\ntls = '{tls}'\nkey = 'a'\ncertificate = 'b'\nclient_ca = 'c'\n"
        "[[mounts]]\nauthentication = 'none'\nassertions = 'off'"
    )
    with pytest.raises(ConfigurationError) as caught:
        check_files(load_text(tmp_path, text))
    told = [sentence.split(" is ")[0] for sentence in caught.value.problems]
    assert told == [*(f"listeners[0].{name}" for name in missing), "data_folder"]


def test_each_missing_file_of_value_sets_is_named(tmp_path):
    (tmp_path / "there.xml").touch()
    text = "data_folder = 'data'\n[[listeners]]\ntls = 'off'\n[[domains]]\nvalue_sets = ['there.xml', 'codes.xml']"
    with pytest.raises(ConfigurationError) as caught:
        check_files(load_text(tmp_path, text, **ANYONE))
    (sentence,) = caught.value.problems
    assert sentence.startswith(f"domains[0].value_sets[1] is {tmp_path}/codes.xml, which does not exist")


def test_the_folder_of_an_embedded_database_is_checked_too(tmp_path):
    (tmp_path / "occupied").touch()
    text = f"data_folder = 'data'\ndatabase_url = 'sqlite:///{tmp_path}/occupied/x.db'\n[[listeners]]\ntls = 'off'"
    with pytest.raises(ConfigurationError) as caught:
        check_files(load_text(tmp_path, text, **ANYONE))
    (sentence,) = caught.value.problems
    assert sentence.startswith(f"The folder of database_url is {tmp_path}/occupied, which cannot be made")


ISSUER = "[[issuers]]\ncertificates = ['issuer.crt']\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[domains]]\nname = 'x'\n[[mounts]]\ndomain = 'x'", "nobody may sign any"),
        (f"{ISSUER}domain = 'x'\n[[mounts]]\nassertions = 'off'", "issuers[0].domain"),
        (f"{ISSUER}{ISSUER}", "list their certificates in one"),
        (f"{ISSUER}[[mounts]]\nassertions = 'optional'\n[[domains]]\naudiences = []", "no audiences"),
    ],
)
def test_users_need_issuers_and_audiences(tmp_path, text, expected):
    (problem,) = problems(tmp_path, text)
    assert expected in problem


@pytest.mark.parametrize(
    ("text", "issuers"),
    [
        ("", ["urn:xds-gateway:throw-away-issuer"]),
        ("[[mounts]]\nassertions = 'optional'", ["urn:xds-gateway:throw-away-issuer"]),
        ("[[mounts]]\nassertions = 'off'", []),
        (f"{ISSUER}name = 'urn:hospital'", ["urn:hospital"]),
    ],
)
def test_the_throw_away_issuer_is_there_only_where_it_is_needed(tmp_path, text, issuers):
    assert [each.name for each in load_text(tmp_path, text).issuers] == issuers


def test_certificates_of_issuers_must_be_there(tmp_path):
    settings = load_text(tmp_path, f"{ISSUER}[[listeners]]\ntls = 'off'\n[[mounts]]\nauthentication = 'none'")
    with pytest.raises(ConfigurationError, match=r"issuers\[0\].certificates names .*issuer.crt, which does not exist"):
        check_files(settings)
