"""Fragments and keys: compressed and back, with dictionaries that never change."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.submissions import make_entry, make_link, make_set, urn
from xds_gateway.codec.ebrim import render_fragment
from xds_gateway.model.metadata import RegistryObject
from xds_gateway.storage.dictionaries import DICTIONARIES
from xds_gateway.storage.fragments import pack, unpack
from xds_gateway.storage.keys import uuid_key, uuid_urn


@given(st.binary(max_size=5000), st.sampled_from(sorted(DICTIONARIES)))
def test_a_fragment_unpacks_as_packed(fragment: bytes, dictionary: int) -> None:
    blob = pack(fragment, dictionary)
    assert (blob[0], unpack(blob)) == (dictionary, fragment)


@pytest.mark.parametrize(
    ("item", "dictionary", "ratio"),
    [(make_entry(), 1, 5), (make_set(), 2, 5), (make_link(urn("a"), urn("b")), 3, 4)],
)
def test_rendered_objects_become_small(item: RegistryObject, dictionary: int, ratio: int) -> None:
    fragment = render_fragment(item)
    assert len(pack(fragment, dictionary)) * ratio < len(fragment)


@pytest.mark.parametrize(
    ("number", "digest"),
    [
        (1, "03d621bf2ec5f879fca886ab60bd5db6576daa3cdf08ca6cafbcf1f8a5a5fb11"),
        (2, "4da7f2d6b6fb3afc4340870f73a99877df68ce99bb40928fc4c7d9aeb4d4ec9f"),
        (3, "1f5bd2f78345cc31446f99b071ea4389f9f50e2c375df06e37e9f14a47229e2a"),
    ],
)
def test_a_dictionary_never_changes(number: int, digest: str) -> None:
    assert hashlib.sha256(DICTIONARIES[number]).hexdigest() == digest


@given(st.uuids())
def test_a_uuid_is_the_same_as_key_and_as_urn(identifier: object) -> None:
    name = f"urn:uuid:{identifier}"
    key = uuid_key(name)
    assert key is not None
    assert (len(key), uuid_urn(key), uuid_key(name.replace(str(identifier), str(identifier).upper()))) == (
        16,
        name,
        key,
    )


@pytest.mark.parametrize("text", ["", "Document01", "urn:uuid:", urn("a")[:-1], urn("a") + "0", urn("a")[9:]])
def test_anything_else_is_no_key(text: str) -> None:
    assert uuid_key(text) is None
