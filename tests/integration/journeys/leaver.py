"""A person who has done everything a citizen can do, with values of their own that can be looked for everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.db import connection, transaction
from tests.integration.behaviour.activity import town as made_up
from tests.integration.behaviour.activity.test_plausibility import rule

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.models import Batch, Posting
from tanpuhui.behaviour.activity.operations import (
    decide_held,
    gather_pushed,
    post_batch,
    push_records,
    settle_day,
)
from tanpuhui.behaviour.carbon_accounts.operations import open_carbon_account, pool_month
from tanpuhui.books.transparency.operations import sequence_leaves
from tanpuhui.foundation.audit import queries as audit
from tanpuhui.foundation.audit.operations import hand_over_own_data
from tanpuhui.foundation.identity.operations import (
    OrganisationKind,
    bind_partner_subject,
    give_consent,
    open_session,
    register_organisation,
    register_with_code,
    request_code,
)
from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.kernel.quantities import Fen, Points
from tanpuhui.foundation.messages.operations import give_mail_address, load_templates, tell
from tanpuhui.uses.rewards.operations import honour_coupon, list_good, reserve_coupon

PHONE = "13987654321"
NAME = "慕容青禾"
CARD = "CARD-9901-778899"
DEVICE = "DEV-7F3A-QH"
BROWSER = "Qinghe-Browser/9.1"
MAIL = "qinghe@example.org"
STOPS = ("STOP-LANGYA", "STOP-QINGQUAN")
RECORDS = ("REC-FILE-0417", "REC-PUSH-0418", "REC-HELD-0419")
OWN = (PHONE, NAME, CARD, DEVICE, BROWSER, MAIL, *STOPS, *RECORDS)
"""What only this person's data hold."""

DAY = date(2026, 11, 18)
HEAD = made_up.HEADER.replace(",duration_s,vehicle_type", ",line,from_place,to_place,device")
MAKER = Actor(kind="user", id="700", grants=(Grant(role=Role.MAKER, area="990000"),))
AFTER_THE_MONTH = datetime.fromisoformat("2026-12-01T01:00:00+00:00")


@dataclass(frozen=True, kw_only=True)
class Leaver:
    """The person, their accounts, and the town around them."""

    town: made_up.Town
    user_id: int
    ledger_account_id: int
    number: str
    good_id: int
    clerk: Actor

    def actor(self, at: datetime) -> Actor:
        return actor_of(user_id=self.user_id, at=at)


def ride(record: str, *, hour: int = 8, km: str = "8.4", subject: str = CARD, minutes: int = 30) -> str:
    """Return a bus ride with line, stops and device."""
    ended = f"{DAY}T{hour:02d}:{minutes:02d}:00+08:00"
    return (
        f"{record},{subject},bus,{DAY}T{hour:02d}:00:00+08:00,{ended},{made_up.CITY},{km},"
        f"LINE-QX,{STOPS[0]},{STOPS[1]},{DEVICE}"
    )


def file_of(*lines: str) -> bytes:
    return "\n".join([HEAD, *lines, ""]).encode()


def arrive(at: datetime, outbox: Path) -> Leaver:
    """Register the person by a code, open their account, and let the town's partner know them."""
    town = made_up.build(subjects=("S2",), with_accounts=False)
    neighbour = town.users["S2"]
    open_carbon_account(actor=actor_of(user_id=neighbour, at=at), at=made_up.LONG_AGO, user_id=neighbour)
    early = at - timedelta(days=30)
    request_code(phone=PHONE, ip="203.0.113.7", at=early)
    code = outbox.read_text(encoding="utf-8").split("验证码 ")[1].split("，")[0]
    user = register_with_code(
        phone=PHONE, code=code, display_name=NAME, area=made_up.CITY, ip="203.0.113.7", at=early
    )
    actor = actor_of(user_id=user.pk, at=at)
    opened = open_carbon_account(actor=actor, at=early, user_id=user.pk)
    bind_partner_subject(actor=actor, at=early, partner_id=town.partner_id, subject=CARD, user_id=user.pk)
    give_consent(actor=actor, at=early, user_id=user.pk, scenario="bus")
    open_session(
        actor=actor,
        at=at,
        user_id=user.pk,
        session_key="leaver",
        way="code",
        ip="203.0.113.7",
        device=BROWSER,
    )
    shop = register_organisation(
        actor=SYSTEM, at=made_up.LONG_AGO, kind=OrganisationKind.MERCHANT, name="北港书店", name_en="Beigang Books",
        uscc=complete_uscc("91990000", "MA000100"), area=made_up.CITY,
    ).organisation_id  # fmt: skip
    clerk = Actor(
        kind="user", id="9001", grants=(Grant(role=Role.MERCHANT, organisation_id=shop, area=made_up.CITY),)
    )
    good_id = list_good(
        actor=clerk, at=at, merchant_id=shop, name_zh="公交周卡", name_en="Weekly bus card", face_value=Fen(1999),
        price=Points(30), stock=5, valid_from=date(2026, 11, 1), valid_to=date(2027, 10, 31), limit_per_person=None,
    ).good_id  # fmt: skip
    return Leaver(
        town=town, user_id=user.pk, ledger_account_id=opened.ledger_account_id, number=opened.number,
        good_id=good_id, clerk=clerk,
    )  # fmt: skip


def live(leaver: Leaver, at: datetime, *, templates: Path) -> int:
    """Ride by file and by push, be held once, redeem and use a coupon, get a message, take a copy; return the pool."""
    town, actor = leaver.town, leaver.actor(at)
    rule("intake.speed_kmh_max", "80")
    town.post(
        file_of(
            ride(RECORDS[0]),
            ride(RECORDS[2], hour=12, km="12.0", minutes=6),
            ride("R-NEIGHBOUR", subject="S2")
            .replace(DEVICE, "D2")
            .replace(STOPS[0], "A")
            .replace(STOPS[1], "B"),
        ),
        at=at,
    )
    town.post(file_of(ride(RECORDS[0])), at=at, key="again")
    pushed = dict(zip(HEAD.split(","), ride(RECORDS[1], hour=18).split(","), strict=True))
    push_records(
        actor=town.partner, at=at, idempotency_key="push", partner_id=town.partner_id,
        records=[{name: value for name, value in pushed.items() if value}],
    )  # fmt: skip
    gathered = gather_pushed(actor=SYSTEM, at=at, partner_id=town.partner_id)
    post_batch(actor=SYSTEM, at=at, batch_id=gathered.batch_id or 0)
    (held,) = activity.held_sets()
    decide_held(
        actor=MAKER, at=at, waiting_ids=(held.id,), refuse_all=True, opinion="不合理", idempotency_key="h"
    )
    settle_day(actor=SYSTEM, at=at, day=DAY)
    coupon = reserve_coupon(
        actor=actor, at=at, idempotency_key="c", good_id=leaver.good_id, user_id=leaver.user_id
    )
    honour_coupon(actor=leaver.clerk, at=at, idempotency_key="h", code=coupon.code, place="北港书店")
    load_templates(actor=SYSTEM, at=made_up.LONG_AGO, folder=templates)
    with transaction.atomic():
        tell(
            at=at, user_ids=[leaver.user_id], template="notice.answered",
            data={"notice_id": 1, "title": f"{NAME}的意见"},
        )  # fmt: skip
    give_mail_address(actor=actor, at=at, address=MAIL)
    hand_over_own_data(
        actor=actor, at=at, user_id=leaver.user_id, purpose="own_copy", data_kinds=("person", "records")
    )
    made = pool_month(actor=MAKER, at=AFTER_THE_MONTH, idempotency_key="p", scenario="bus", month="2026-11")
    sequence_leaves(at=AFTER_THE_MONTH)
    return made.pool_id


def everything_kept(folder: Path) -> str:
    """Return every row of every table and every file as text: columns as they are, bytes as hex and as text, payloads opened."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'public' order by 1")
        for (table,) in cursor.fetchall():
            cursor.execute(f'select to_jsonb(t)::text from "{table}" t')
            found += [text for (text,) in cursor.fetchall()]
        for select in (
            "select amounts from activity_record_chunk", "select traces from activity_record_chunk",
            "select rows from activity_set_aside", "select rows from activity_waiting_chunk",
        ):  # fmt: skip
            cursor.execute(select)
            for (payload,) in cursor.fetchall():
                found += [str(decode_payload(bytes(payload)).to_pydict()), bytes(payload).decode("latin-1")]
    found += [
        f"{path}\n{path.read_bytes().decode('latin-1')}\n{path.read_bytes().decode('utf-8', 'replace')}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return "\n".join(found)


def everything_handed_out(at: datetime) -> str:
    """Return what reports, exports and lists give out of every batch, month and act, as text."""
    found: list[object] = []
    for batch_id in Batch.objects.values_list("pk", flat=True):
        found += activity.batch_rows(batch_id)
    posting_ids = list(Posting.objects.values_list("pk", flat=True))
    found += [str(chunk.rows.to_pydict()) for chunk in activity.exported_records(posting_ids)]
    found += audit.records(first=made_up.LONG_AGO, before=at + timedelta(days=1))
    found += audit.disclosures(limit=1000)
    return "\n".join(str(one) for one in found)


def left_of(values: tuple[str, ...], kept: str) -> list[str]:
    """Return which of the values stand there, plainly, as hex, or escaped as JSON does it."""
    return [
        one for one in values
        if any(form in kept for form in (one, one.encode().hex(), one.encode("unicode-escape").decode()))
    ]  # fmt: skip
