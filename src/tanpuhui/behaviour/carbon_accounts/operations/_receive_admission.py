"""Receive the accounts of an existing programme: one file, once, every row with its verdict (存量账户迁入)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO

from django.db import connection, transaction

from tanpuhui.behaviour.activity.queries import text_rows
from tanpuhui.behaviour.carbon_accounts.domain.admissions import (
    COLUMNS,
    REQUIRED,
    AdmissionState,
    BalanceState,
    Bounds,
    MemberRow,
    judge_row,
    refused,
    without_repeats,
)
from tanpuhui.behaviour.carbon_accounts.models import ProgrammeAdmission
from tanpuhui.books.transparency.operations import append_leaf
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents.operations import store_sealed_document
from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.identity.queries import normal_phone, organisation, phone_indexes
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.keys.queries import blind_indexes
from tanpuhui.foundation.persistence.bulk import copy_payloads
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import region_names

SENDERS = frozenset({Role.MAKER, Role.PARTNER})
MEMBER_PURPOSE = "carbon_accounts.programme_member"
_KINDS = {
    "admission_id": "int8", "number": "int4", "programme_id": "int8", "verdict": "text", "state": "text",
    "member_index": "bytea", "phone_index": "bytea", "area": "text", "member_since": "date", "shown_grams": "int8",
    "hundredths": "int8",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class AdmissionReceived:
    """A file that was received, its SHA-256 (hexadecimal), how many rows it has and how many of them can be taken over."""

    admission_id: int
    sha256: str
    rows: int
    accepted: int


def receive_admission(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str,
    programme_id: int,
    as_of: date,
    file_name: str,
    media_type: str,
    content: bytes | BinaryIO,
) -> AdmissionReceived:
    """Keep a programme's file unchanged and encrypted, and judge every row of it; see `file_admission`.

    The bytes are stored first, in a transaction of their own, so that a file of any size is streamed and hashed once.
    """
    permit_sender(actor, programme_id=programme_id)
    with transaction.atomic():
        stored = store_sealed_document(content=content, name=file_name, media_type=media_type, at=at)
    return file_admission(
        actor=actor,
        at=at,
        idempotency_key=idempotency_key,
        programme_id=programme_id,
        as_of=as_of,
        file_name=file_name,
        media_type=media_type,
        file_sha256=stored.sha256,
        size_bytes=stored.size,
    )


@operation(roles=SENDERS, subject="programme_admission:{admission_id}")
def file_admission(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str,
    programme_id: int,
    as_of: date,
    file_name: str,
    media_type: str,
    file_sha256: str,
    size_bytes: int,
) -> AdmissionReceived:
    """Register a stored file of a programme's accounts, its rows judged, its hash in the public log; the same bytes once.

    Rows hold phone and member as blind indexes only. Nobody is told, and no account is opened. By the programme's own
    people or a maker of its area. Raises NotPermitted, NotFound, Invalid (a day to come), FileUnusable, ParameterUnset.
    """
    permit_sender(actor, programme_id=programme_id)
    if as_of > business_day(at):
        raise Invalid(field="as_of", why="截止日期还没有到 / the as-of day is still to come")
    lock_names(f"programme_admission:programme:{programme_id}")
    known = ProgrammeAdmission.objects.filter(programme_id=programme_id, file_sha256=file_sha256).first()
    if known is not None:
        return _received(known)
    area = organisation(programme_id).area
    judged = _judged(file_sha256, file_name=file_name, media_type=media_type, as_of=as_of, area=area, at=at)
    phones = phone_indexes(row.phone for row in judged)
    members = blind_indexes((f"{programme_id}:{row.member_id}" for row in judged), purpose=MEMBER_PURPOSE)
    rows = _without_earlier(programme_id, judged, members=members, phones=phones)
    admission = ProgrammeAdmission.objects.create(
        programme_id=programme_id,
        area=area,
        as_of=as_of,
        file_sha256=file_sha256,
        file_name=file_name,
        media_type=media_type,
        size_bytes=size_bytes,
        rows=len(rows),
        accepted=sum(not row.verdict for row in rows),
        state=AdmissionState.RECEIVED.value,
        received_at=at,
        leaf_id=append_leaf(
            kind="file",
            subject=f"programme_admission:{programme_id}:{file_sha256}",
            payload={"programme": programme_id, "sha256": file_sha256, "size_bytes": size_bytes},
            at=at,
        ),
    )
    with connection.cursor() as cursor:
        copy_payloads(
            cursor,
            "carbon_admitted_balance",
            _KINDS,
            _stored(admission, rows, members=members, phones=phones),
        )
    return _received(admission)


def permit_sender(actor: Actor, *, programme_id: int) -> None:
    """Let the programme's own people and makers of its area hand over its accounts. Raises NotFound, NotPermitted."""
    area = organisation(programme_id).area
    own = actor.has(Role.PARTNER, organisation_id=programme_id)
    if not own and not actor.has(Role.MAKER, area=area) and Role.SYSTEM not in actor.roles:
        raise NotPermitted(operation="carbon_accounts.file_admission")


def _judged(
    sha256: str, *, file_name: str, media_type: str, as_of: date, area: str, at: datetime
) -> list[MemberRow]:
    with closing(open_document(sha256)) as stream:
        read = list(
            text_rows(
                stream, file_name=file_name, media_type=media_type, wanted=COLUMNS, required=REQUIRED, at=at
            )
        )
    areas = region_names({row.values["area"] for row in read if row.values.get("area")})
    bounds = Bounds(as_of=as_of, area=area, areas=areas.keys(), normal_phone=normal_phone)
    return without_repeats(
        MemberRow(number=row.number, verdict="ROW_UNREADABLE")
        if row.fault
        else judge_row(row.number, row.values, bounds)
        for row in read
    )


def _without_earlier(
    programme_id: int, rows: Sequence[MemberRow], *, members: Sequence[bytes], phones: Sequence[bytes]
) -> list[MemberRow]:
    """Refuse rows of members or phones that came in an earlier file of the programme and still wait or were taken over."""
    known: set[bytes] = set()
    with connection.cursor() as cursor:
        for column, keys in (("member_index", members), ("phone_index", phones)):
            cursor.execute(
                f"select {column} from carbon_admitted_balance where programme_id = %s and {column} = any(%s)",  # noqa: S608  the names are ours
                [programme_id, list(keys)],
            )
            known |= {bytes(found) for (found,) in cursor.fetchall()}
    return [
        refused(row, "ADMITTED_BEFORE") if not row.verdict and {member, phone} & known else row
        for row, member, phone in zip(rows, members, phones, strict=True)
    ]


def _stored(
    admission: ProgrammeAdmission,
    rows: Sequence[MemberRow],
    *,
    members: Sequence[bytes],
    phones: Sequence[bytes],
) -> Iterator[tuple[object, ...]]:
    for row, member, phone in zip(rows, members, phones, strict=True):
        if row.verdict:
            state = BalanceState.REFUSED.value
            nothing = (None, None, None, None, None, 0)
            yield (admission.pk, row.number, admission.programme_id, row.verdict, state, *nothing)
            continue
        person = (member, phone, row.area, row.member_since, row.shown_grams)
        state = BalanceState.RECEIVED.value
        yield (admission.pk, row.number, admission.programme_id, "", state, *person, row.hundredths)


def _received(row: ProgrammeAdmission) -> AdmissionReceived:
    return AdmissionReceived(
        admission_id=row.pk, sha256=row.file_sha256, rows=row.rows, accepted=row.accepted
    )
