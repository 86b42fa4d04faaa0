"""RegistryStore: value sets of a domain, in versions, seen by every process as soon as they are committed."""

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.submissions import make_entry, make_folder, make_set, open_in, register, submission, urn
from tests.unit.value_sets import make_list
from xds_gateway.actors.ports import Transaction
from xds_gateway.model.value_sets import ListedCode, ValueSet, ValueSets
from xds_gateway.storage.opening import Storage

A, B = ListedCode("A", "1.2"), ListedCode("B", "1.2", "b", False, "20200101000000", "20250101000000")
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
CODES = st.builds(ListedCode, TEXT, TEXT, TEXT, st.booleans(), st.none() | TEXT, st.none() | TEXT)


def put(storage: Storage, **lists: ValueSet | None) -> int:
    return storage.registry.write(lambda transaction: transaction.set_value_sets(lists))


def present(storage: Storage) -> ValueSets:
    return storage.registry.inspect(lambda snapshot: snapshot.value_sets())


def codes(value_sets: ValueSets) -> dict[str, set[ListedCode]]:
    return {name: set(listed.codes.values()) for name, listed in value_sets.lists.items()}


def test_a_domain_has_none_at_first(storage):
    assert (present(storage).number, codes(present(storage))) == (0, {})
    assert storage.registry.value_sets() is present(storage)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(CODES, min_size=1, max_size=6, unique_by=lambda code: (code.code, code.scheme)))
def test_a_list_is_read_as_it_was_written(storage, listed):
    before = present(storage).number
    number = put(storage, typeCode=make_list("typeCode", *listed))
    read = present(storage).lists["typeCode"]
    assert read.same_codes(make_list("typeCode", *listed))
    assert read.number == number == present(storage).number == before + 1


def test_a_version_replaces_or_ends_only_the_lists_that_it_names(storage):
    put(storage, typeCode=make_list("typeCode", A), classCode=make_list("classCode", A))
    put(storage, typeCode=make_list("typeCode", B))
    put(storage, classCode=None, formatCode=None)
    assert codes(present(storage)) == {"typeCode": {B}}
    versions = [storage.registry.inspect(lambda s, n=n: s.earlier_value_sets(n)) for n in range(4)]
    assert [codes(each) for each in versions] == [
        {},
        {"typeCode": {A}, "classCode": {A}},
        {"typeCode": {B}, "classCode": {A}},
        {"typeCode": {B}},
    ]


def test_every_process_sees_a_version_as_soon_as_it_is_committed(storage, tmp_path):
    other = open_in(tmp_path, "w2")
    assert present(other).number == 0
    put(storage, typeCode=make_list("typeCode", A))
    assert other.registry.value_sets().number == 0  # it has not looked
    assert codes(present(other)) == {"typeCode": {A}}
    assert other.registry.value_sets() is present(other)  # read once, then kept
    other.close()


def test_a_version_that_is_not_committed_was_never_there(storage):
    class Undone(Exception):
        pass

    def work(transaction: Transaction) -> None:
        transaction.set_value_sets({"typeCode": make_list("typeCode", A)})
        assert codes(transaction.value_sets()) == {"typeCode": {A}}
        raise Undone

    with suppress(Undone):
        storage.registry.write(work)
    assert storage.registry.value_sets().number == present(storage).number == 0
    put(storage, typeCode=make_list("typeCode", B))
    assert codes(present(storage)) == {"typeCode": {B}}


def test_domains_are_apart(storage, tmp_path):
    elsewhere = open_in(tmp_path, "w2", "elsewhere")
    put(storage, typeCode=make_list("typeCode", A))
    put(elsewhere, typeCode=make_list("typeCode", B))
    assert codes(present(storage)) == {"typeCode": {A}}
    assert (present(elsewhere).number, codes(present(elsewhere))) == (1, {"typeCode": {B}})
    elsewhere.close()


def test_registered_objects_come_in_pages(storage, tmp_path):
    for number in (1, 2, 3):
        register(storage, *submission(number))
    register(storage, make_folder(1))
    pages, after = [], 0
    while page := storage.registry.inspect(lambda s, after=after: s.registered("DocumentEntry", after, 2)):
        pages.append([item.id for _, item in page])
        after = page[-1][0]
    assert pages == [[make_entry(1).id, make_entry(2).id], [make_entry(3).id]]
    sets = storage.registry.inspect(lambda s: s.registered("SubmissionSet", 0, 9))
    assert [item.id for _, item in sets] == [make_set(number).id for number in (1, 2, 3)]
    assert [item.id for _, item in storage.registry.inspect(lambda s: s.registered("Folder", 0, 9))] == [
        urn("folder 1")
    ]
