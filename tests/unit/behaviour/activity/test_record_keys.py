"""Keys that stand twice are counted, whatever halves they share."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.behaviour.activity.domain.record_keys import standing_twice

HALF = st.sampled_from([bytes(8), b"\xff" * 8, bytes(7) + b"\x01", b"\x80" + bytes(7)])
KEYS = st.lists(st.tuples(HALF, HALF).map(b"".join), max_size=40)


@given(KEYS)
def test_as_many_keys_stand_twice_as_a_counter_finds(keys: list[bytes]) -> None:
    assert standing_twice(b"".join(keys)) == sum(1 for times in Counter(keys).values() if times > 1)
