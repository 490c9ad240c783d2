"""The inclusion file of a pool: it accepts one person's contribution, and refuses every change of it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.books.transparency.samples import AT, key_set, sign
from tests.unit.books.transparency.test_certificates import _at, _changes, _containers, _scalars

from tanpuhui.books.transparency.domain import contributions, merkle
from tanpuhui.books.transparency.domain.canonical import canonical, instant
from tanpuhui.books.transparency.domain.contributions import ContributionLeaves, contribution_path, parts_of
from tanpuhui.books.transparency.domain.heads import Head
from tanpuhui.books.transparency.domain.leaves import LeafKind, leaf_bytes
from tanpuhui.books.transparency.domain.pool_inclusion import build_pool_inclusion, verify_pool_inclusion

LEAVES = ContributionLeaves(scenario="bus", month="2026-11", secret=b"\x07" * 32)
SHARES = [(1_000_000_000 + 3 * place, 100 + place) for place in range(11)]


@cache
def made(place: int = 5) -> bytes:
    hashes = list(LEAVES.hashes(SHARES))
    root = merkle.root_of(hashes)
    payload = {
        "scenario": "bus",
        "month": "2026-11",
        "tonnes": "0",
        "contributions": {
            "root": root.hex(),
            "people": len(SHARES),
            "grams": str(sum(grams for _, grams in SHARES)),
        },
    }
    leaf = leaf_bytes(kind=LeafKind.POOL, subject="bus:2026-11", recorded_at=AT, payload=payload)
    other = leaf_bytes(kind=LeafKind.POSTING, subject="1", recorded_at=AT, payload={})
    frontier, nodes = merkle.Frontier(), {}
    for one in (other, leaf, other):
        nodes.update(frontier.append(merkle.leaf_hash(one)))
    head = Head("ab" * 32, 3, 3, frontier.root().hex(), 0, merkle.EMPTY_ROOT.hex(), instant(AT))
    return build_pool_inclusion(
        contribution=LEAVES.document(*SHARES[place]),
        index=place,
        path=contribution_path(hashes, place=place, parts=[root], part=0),
        leaf=leaf,
        leaf_index=1,
        leaf_path=merkle.inclusion_path(1, 3, nodes.__getitem__),
        head=head,
        signatures=sign(head),
    )


def document() -> dict[str, Any]:
    return json.loads(made())


def accepted(changed: object) -> bool:
    return verify_pool_inclusion(json.dumps(changed).encode(), key_set()).valid


@pytest.mark.parametrize("place", [0, 5, 10])
def test_the_untouched_file_is_valid_as_of_its_head(place: int) -> None:
    verdict = verify_pool_inclusion(made(place), key_set())
    assert verdict.valid
    assert (verdict.as_of_head, verdict.size) == (3, 3)
    assert {check.code for check in verdict.checks} == {
        "FORMAT",
        "IN_POOL",
        "INCLUDED",
        "SIGNED_ED25519",
        "SIGNED_SM2",
    }
    assert verdict.certificate is not None
    assert verdict.certificate["grams"] == str(100 + place)


def test_every_changed_value_is_refused() -> None:
    tried = 0
    for path, value in _scalars(document()):
        for other in _changes(value):
            changed = document()
            _at(changed, path[:-1])[path[-1]] = other
            assert not accepted(changed), (path, other)
            tried += 1
    assert tried > 300


def test_every_missing_or_added_member_is_refused() -> None:
    for path, container in _containers(document()):
        for key in list(container) if isinstance(container, dict) else range(len(container)):
            changed = document()
            del _at(changed, path)[key]
            assert not accepted(changed), (path, key)
        changed = document()
        place = _at(changed, path)
        if isinstance(place, dict):
            place["more"] = "x"
        else:
            place.append("00" * 32)
        assert not accepted(changed), path


def test_a_neighbour_cannot_take_the_path_of_another() -> None:
    changed = document()
    changed["contribution"] = LEAVES.document(*SHARES[4])
    assert not accepted(changed)


def test_no_file_holds_the_grams_or_salts_of_others() -> None:
    text = made(5).decode()
    for place, (account, grams) in enumerate(SHARES):
        if place != 5:
            assert str(account) not in text
            assert str(LEAVES.document(account, grams)["salt"]) not in text


def test_the_fast_hash_is_that_of_the_leaf_in_the_file() -> None:
    odd = ContributionLeaves(scenario='b"us\\', month="2026-11", secret=b"\x01" * 32)
    for leaves in (LEAVES, odd):
        expected = [merkle.leaf_hash(canonical(leaves.document(*share))) for share in SHARES]
        assert list(leaves.hashes(SHARES)) == expected


@settings(max_examples=60, deadline=None)
@given(people=st.integers(1, 70), data=st.data())
def test_a_tree_kept_in_parts_gives_the_root_and_path_of_the_whole(people: int, data: st.DataObject) -> None:
    size = 8
    shares = [(place + 1, place + 10) for place in range(people)]
    runs = [shares[first : first + size] for first in range(0, people, size)]
    parts = list(parts_of(LEAVES, runs))
    roots = [part.root for part in parts]
    whole = list(LEAVES.hashes(shares))
    assert merkle.root_of(roots) == merkle.root_of(whole)
    assert sum(part.grams for part in parts) == sum(grams for _, grams in shares)
    place = data.draw(st.integers(0, people - 1))
    part = place // size
    path = contribution_path(
        whole[part * size : (part + 1) * size], place=place % size, parts=roots, part=part
    )
    assert merkle.verify_inclusion(
        hashed=whole[place], index=place, size=people, path=path, root=merkle.root_of(whole)
    )


def test_a_part_is_a_power_of_two() -> None:
    assert contributions.PART_LEAVES.bit_count() == 1
