"""The copy of everything that is held of a person (我的数据): the same sections as JSON and as Excel, made when asked for and kept nowhere.

Amounts are whole numbers with their unit in the column's name; moments are in China's time, ISO 8601.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

from openpyxl import Workbook

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.queries import CarbonAccountView
from tanpuhui.foundation.audit import queries as audit
from tanpuhui.foundation.identity.queries import SCENARIO, consent_texts, organisation, organisations
from tanpuhui.foundation.identity.queries.own_data import OwnData, own_data
from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.messages import queries as messages
from tanpuhui.interfaces.citizen.line_words import line_name
from tanpuhui.interfaces.design.sheets import IN_MEMORY_MAX, text_cell
from tanpuhui.uses.rewards import queries as rewards

Cell = str | int | None
EVER = date(2000, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of data: its code, columns, and a row for each fact."""

    code: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


PARTS = (
    "person", "account", "consents", "partners", "records", "waiting", "not_counted", "lines", "coupons", "programmes", "messages",
    "sign_ins", "disclosures",
)  # fmt: skip
"""The kinds of data in the order in which they stand; the page names each in words."""


def parts(user_id: int, *, at: datetime) -> tuple[Part, ...]:
    """Return everything that is held of the person, kind by kind, in the order of PARTS."""
    held = own_data(user_id)
    account = accounts.accounts_of_users([user_id]).get(user_id)
    found = (
        *_of_person(held, account),
        *(_of_account(user_id, account, today=business_day(at)) if account else _none_of_account()),
        _of_rewards(user_id),
        _of_programmes(user_id, at=at),
        _of_messages(user_id),
        _of_sessions(held),
        _of_disclosures(user_id),
    )
    return tuple(sorted(found, key=lambda part: PARTS.index(part.code)))


def as_json(found: Sequence[Part], *, at: datetime) -> str:
    """Return the copy as one JSON object: a list of objects for each kind of data."""
    content: Mapping[str, object] = {
        "made_at": _moment(at),
        **{part.code: [dict(zip(part.columns, row, strict=True)) for row in part.rows] for part in found},
    }
    return json.dumps(content, ensure_ascii=False, indent=1)


def as_sheets(found: Iterable[Part]) -> IO[bytes]:
    """Return the copy as an Excel file, a sheet for each kind of data, open at its beginning; no cell is a formula."""
    book = Workbook(write_only=True)
    for part in found:
        sheet = book.create_sheet(part.code)
        sheet.freeze_panes = "A2"
        sheet.append([text_cell(sheet, name) for name in part.columns])
        for row in part.rows:
            sheet.append([text_cell(sheet, cell) if isinstance(cell, str) else cell for cell in row])
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_MAX)  # noqa: SIM115  closed by the response
    book.save(file)
    file.seek(0)
    return file


def _of_person(held: OwnData, account: CarbonAccountView | None) -> tuple[Part, ...]:
    partners = {view.id: view.name for view in organisations(kind="partner")}
    wordings = {
        text.sha256(): "\n".join(f"{heading}：{words}" for heading, words in text.zh)
        for text in consent_texts(SCENARIO)
    }
    return (
        Part(
            code="person",
            columns=("display_name", "phone", "area"),
            rows=((held.display_name, held.phone, held.area),),
        ),
        Part(
            code="account",
            columns=("number", "area", "opened_at"),
            rows=((account.number, account.area, _moment(account.opened_at)),) if account else (),
        ),
        Part(
            code="consents",
            columns=("scenario", "text_version", "text_sha256", "text", "given_at", "withdrawn_at"),
            rows=tuple(
                (
                    one.scenario,
                    one.text_version,
                    one.text_sha256,
                    wordings.get(one.text_sha256, ""),
                    _moment(one.given_at),
                    _moment(one.withdrawn_at),
                )
                for one in held.consents
            ),
        ),
        Part(
            code="partners",
            columns=("partner", "bound_at"),
            rows=tuple(
                (partners.get(one.partner_id, str(one.partner_id)), _moment(one.bound_at))
                for one in held.bindings
            ),
        ),
    )


_RECORDS = (
    "posting", "row", "day", "scenario", "area", "record_id", "started_at", "ended_at", "verdict", "grams", "values",
    "traces",
)  # fmt: skip
_WAITING = ("day", "scenario", "started_at", "settles_on", "held_for", "batch", "row")
_NOT_COUNTED = ("day", "scenario", "started_at", "reason", "batch", "row")
_LINES = ("day", "kind", "grams", "points", "records", "balance_grams", "balance_points", "journal", "at")


def _none_of_account() -> tuple[Part, ...]:
    columns = {"records": _RECORDS, "waiting": _WAITING, "not_counted": _NOT_COUNTED, "lines": _LINES}
    return tuple(Part(code=code, columns=names, rows=()) for code, names in columns.items())


def _of_account(user_id: int, account: CarbonAccountView, *, today: date) -> tuple[Part, ...]:
    number = account.ledger_account_id
    records = activity.records_of_account(account_id=number, first_day=EVER, last_day=today)
    aside = activity.set_aside_of_account(account_id=number, first_day=EVER, last_day=today)
    return (
        Part(
            code="records",
            columns=_RECORDS,
            rows=tuple(
                (
                    one.posting_id, one.row, one.day.isoformat(), one.scenario, one.area, one.record_id,
                    _moment(one.started_at), _moment(one.ended_at), one.verdict, one.grams.value,
                    _pairs(one.values), _pairs(one.traces),
                )
                for one in records
            ),
        ),
        Part(
            code="waiting",
            columns=_WAITING,
            rows=tuple(
                (
                    one.day.isoformat(), one.scenario, _moment(one.started_at),
                    one.settles_on.isoformat() if one.settles_on else None, one.held_for, one.batch_id, one.row,
                )
                for one in activity.waiting_of_account(number)
            ),
        ),
        Part(
            code="not_counted",
            columns=_NOT_COUNTED,
            rows=tuple(
                (one.day.isoformat(), one.scenario, _moment(one.started_at), one.reason, one.batch_id, one.row)
                for one in aside
            ),
        ),
        Part(
            code="lines",
            columns=_LINES,
            rows=tuple(
                (
                    one.entry.day.isoformat(), line_name(one.entry.kind), one.entry.grams.value,
                    one.entry.points.value, one.entry.n_records, one.balance_grams.value, one.balance_points.value,
                    one.entry.journal_id, _moment(one.entry.at),
                )
                for one in accounts.lines(user_id, first_day=EVER, last_day=today)
            ),
        ),
    )  # fmt: skip


def _of_rewards(user_id: int) -> Part:
    return Part(
        code="coupons",
        columns=("code", "good", "points", "state", "reserved_at", "expires_on", "decided_at", "place"),
        rows=tuple(
            (
                one.code, one.good.name_zh, one.price.value, str(one.state), _moment(one.reserved_at),
                one.expires_on.isoformat(), _moment(one.decided_at), one.place,
            )
            for one in rewards.coupons_of(user_id)
        ),
    )  # fmt: skip


def _of_programmes(user_id: int, *, at: datetime) -> Part:
    """Return what waits from a former programme, and what was taken over with the text agreed to."""
    return Part(
        code="programmes",
        columns=(
            "programme", "area", "as_of", "member_since", "grams_there", "points", "rate", "claim_until", "claimed_at",
            "text_version",
        ),
        rows=tuple(
            (
                organisation(one.programme_id).name, one.area, one.as_of.isoformat(),
                one.member_since.isoformat() if one.member_since else None, one.shown_grams, one.points.value, one.rate,
                one.claim_until.isoformat() if one.claim_until else None, _moment(one.claimed_at), one.text_version,
            )
            for one in (*accounts.offers(user_id, at=at), *accounts.taken_over(user_id))
        ),
    )  # fmt: skip


def _of_messages(user_id: int) -> Part:
    shown = [messages.view_of(row) for row in messages.messages_of(user_id)]
    return Part(
        code="messages",
        columns=("at", "title", "body", "read_at"),
        rows=tuple((_moment(one.at), one.title_zh, one.body_zh, _moment(one.read_at)) for one in shown),
    )


def _of_sessions(held: OwnData) -> Part:
    return Part(
        code="sign_ins",
        columns=("opened_at", "way", "address", "device", "ended_at"),
        rows=tuple(
            (_moment(one.opened_at), one.way, one.ip, one.device, _moment(one.ended_at))
            for one in held.sessions
        ),
    )


def _of_disclosures(user_id: int) -> Part:
    return Part(
        code="disclosures",
        columns=("at", "recipient", "purpose", "legal_basis", "data_kinds"),
        rows=tuple(
            (_moment(one.at), one.recipient, one.purpose, one.legal_basis, " ".join(one.data_kinds))
            for one in audit.disclosures_of(user_id)
        ),
    )


def _pairs(values: Mapping[str, object]) -> str:
    """Write named values as one text; exact numbers stay as they are written."""
    return "; ".join(f"{name}={value}" for name, value in values.items() if value not in {None, ""})


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(CHINA).isoformat(timespec="seconds")
