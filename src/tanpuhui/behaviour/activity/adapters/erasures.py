"""The hashes that payloads have after lawful erasures (轨迹删除), for whoever checks them against their commitments."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from tanpuhui.behaviour.activity.domain.erasures import ErasedPlace

_CHAINS = """
select bucket, old_sha256, new_sha256 from activity_erased_payload where place = %s and owner_id = %s
order by erasure_id
"""


def hashes_now(place: ErasedPlace, owner_id: int, committed: Mapping[int, bytes]) -> dict[int, bytes]:
    """Return the hash that the payload of each bucket should have: the committed one, or where the erasures led from it.

    An erasure that does not begin where the one before ended leads nowhere and is not followed.
    """
    now = dict(committed)
    with connection.cursor() as cursor:
        cursor.execute(_CHAINS, [place.value, owner_id])
        for bucket, old, new in cursor.fetchall():
            if now.get(bucket) == bytes(old):
                now[bucket] = bytes(new)
    return now
