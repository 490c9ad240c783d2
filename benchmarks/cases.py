"""A province with a hundred thousand cases: how long the desk's lists take, by Django's own test client.

The cases are walks through the shipped processes: most of them are closed, the rest stand somewhere on the way, in
every county, for thousands of organisations. They are written by SQL, past the triggers, in a database of their own;
what is measured is what people open.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from tanpuhui.config import wiring
from tanpuhui.foundation.identity.domain.sign_in import SessionRules
from tanpuhui.foundation.identity.models import AreaAssignment, Membership, Organisation, User
from tanpuhui.foundation.identity.queries.sessions import SESSION_STAMP, session_stamp
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.rulebook.models import ProcessVersion, Region
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.operations import index_cases

NOW = dt.datetime(2026, 11, 20, 2, 0, tzinfo=dt.UTC)
THREE_YEARS = 3 * 365
CLOSED_SHARE = 0.7
INDEX_AT_ONCE = 2_000
APPLICANTS = {"owner": 900, "partner": 120, "merchant": 1500, "buyer": 200}
SUBJECT = {
    "issuance": "monitoring_report",
    "methodology_filing": "methodology_version",
    "batch_correction": "batch",
    "settlement_confirmation": "settlement_sheet",
    "recalculation": "recalculation",
}
SHARE = {
    "issuance": 30,
    "methodology_filing": 5,
    "batch_correction": 30,
    "settlement_confirmation": 33,
    "recalculation": 2,
}
WORDS = (
    "光伏",
    "公交",
    "地铁",
    "共享单车",
    "旧衣回收",
    "新能源车",
    "节电",
    "植树",
    "湿地",
    "屋顶",
    "沼气",
    "步行",
)
PLACES_OF_WORK = ("项目", "线路", "园区", "社区", "学校", "商场", "港口")


@dataclass(kw_only=True)
class World:
    """Who is there, by role; and the texts that a search looks for."""

    users: dict[str, User] = field(default_factory=dict)
    number: str = ""
    rare: str = ""


@dataclass(kw_only=True)
class _Crowd:
    areas: list[str]
    applicants: dict[str, list[tuple[int, str, str]]]
    verifiers: list[int]
    staff: list[int]


def build(cases: int) -> World:
    """Load the rules, people a province, write the cases and index them."""
    folder = Path(settings.TANPUHUI_JURISDICTION_DIR)
    at = NOW - dt.timedelta(days=THREE_YEARS + 400)
    load_jurisdiction(actor=SYSTEM, at=at, folder=folder, packs=("base", "demonstration"))
    load_templates(actor=SYSTEM, at=at, folder=folder)
    wiring.install()
    world = World()
    crowd = _people(world, at=at)
    _write_cases(list(_walks(cases, crowd, world)))  # nothing else is asked while a COPY runs
    with connection.cursor() as cursor:
        cursor.execute("select id from workflow_case order by id")
        ids = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(ids), INDEX_AT_ONCE):
        index_cases(ids[start : start + INDEX_AT_ONCE])
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")
    return world


def _people(world: World, *, at: dt.datetime) -> _Crowd:
    chance = random.Random(1)
    province = rulebook.jurisdiction().area
    cities = [row.code for row in Region.objects.filter(level="city", valid_to__isnull=True)]
    counties = [row.code for row in Region.objects.filter(level="county", valid_to__isnull=True)]
    areas = sorted(cities + counties)
    serial = iter(range(10_000_000, 99_999_999))

    def organisation(kind: str, name: str, area: str) -> Organisation:
        return Organisation(
            kind=kind, name=name, name_en=f"{kind} {name}", uscc=complete_uscc("91370000", f"{next(serial):08d}"), area=area,
            admitted_at=at,
        )  # fmt: skip

    applicants: dict[str, list[tuple[int, str, str]]] = {}
    for kind, count in APPLICANTS.items():
        rows = []
        for number in range(count):
            word, area = chance.choice(WORDS), chance.choice(areas)
            rows.append(organisation(kind, f"{_place(area)}{word}{kind}{number} 有限公司", area))
        made = Organisation.objects.bulk_create(rows)
        applicants[kind] = [(row.pk, row.name, row.area) for row in made]
    verifiers = Organisation.objects.bulk_create(
        organisation("verifier", f"第{n}核查技术服务公司", province) for n in range(12)
    )
    offices = {
        kind: Organisation.objects.bulk_create([organisation(kind, name, area)])[0]
        for kind, name, area in (
            ("centre", "省碳普惠运营中心", province),
            ("subcentre", "分中心", cities[5]),
            ("regulator", "生态环境厅", province),
            ("expert_body", "专家委员会", province),
        )
    }
    seats = [
        ("maker", Role.MAKER, offices["centre"], province), ("checker", Role.CHECKER, offices["centre"], province),
        ("subcentre", Role.SUBCENTRE, offices["subcentre"], cities[5]), ("city maker", Role.MAKER, offices["subcentre"], cities[5]),
        ("regulator", Role.REGULATOR, offices["regulator"], province), ("expert", Role.EXPERT, offices["expert_body"], province),
        ("verifier", Role.VERIFIER, verifiers[0], province),
        *((kind, Role(kind), Organisation.objects.get(pk=applicants[kind][0][0]), province) for kind in APPLICANTS),
        *((f"maker {n}", Role.MAKER, offices["centre"], province) for n in range(20)),
        *((f"checker {n}", Role.CHECKER, offices["centre"], province) for n in range(10)),
    ]  # fmt: skip
    for name, role, office, area in seats:
        user = User.objects.create(
            username=name, display_name=name, area=area, is_citizen=False, joined_at=at
        )
        Membership.objects.create(user=user, organisation=office, role=role.value, area=area, valid_from=at)
        world.users[name] = user
    AreaAssignment.objects.create(
        organisation=offices["subcentre"], area=cities[5], valid_from=at, reason="benchmark"
    )
    staff = [user.pk for name, user in world.users.items() if name.startswith(("maker", "checker"))]
    return _Crowd(areas=areas, applicants=applicants, verifiers=[row.pk for row in verifiers], staff=staff)


def _place(area: str) -> str:
    return _PLACES.setdefault(area, rulebook.region(area).name_zh)


_PLACES: dict[str, str] = {}
Walk = tuple[list[object], list[list[object]], list[object] | None]


def _walks(count: int, crowd: _Crowd, world: World) -> Iterator[Walk]:
    """Yield each case with its decisions and, of an issuance, its verifier."""
    chance = random.Random(2)
    found = {row.process: row.pk for row in ProcessVersion.objects.order_by("version")}
    versions = rulebook.processes_by_ids([found[process] for process in SHARE if process in found])
    by_name = {version.process: version for version in versions.values()}
    names = [name for name in SHARE if name in by_name]
    prefix = rulebook.jurisdiction().serial_prefix
    holidays = chance.randrange(count)
    for case_id in range(1, count + 1):
        process = chance.choices(names, [SHARE[name] for name in names])[0]
        version = by_name[process]
        kind = {
            "issuance": "owner",
            "batch_correction": "partner",
            "settlement_confirmation": "merchant",
        }.get(process)
        applicant = chance.choice(crowd.applicants[kind]) if kind else (None, "", chance.choice(crowd.areas))
        opened = NOW - dt.timedelta(
            minutes=(count - case_id) * THREE_YEARS * 1440 // count + chance.randrange(600)
        )
        number = f"{prefix}-{process.replace('_', '-').upper()}-{opened.year}-{case_id:06d}"
        word = chance.choice(WORDS)
        title = f"{_place(applicant[2])}{word}{chance.choice(PLACES_OF_WORK)}{opened.year} 年第{chance.choice('一二三四')}季度{version.label_zh}"
        if case_id == holidays:
            world.rare, world.number = "鹳鸟", number
            title = f"鹳鸟栖息地{title}"
        state, at, decisions = version.initial_state, opened, []
        steps = chance.randrange(1, 9) if chance.random() < CLOSED_SHARE else chance.randrange(4)
        while True:
            ways = [way for way in version.transitions if way.source == state]
            if not ways or (len(decisions) >= steps and case_id % 10 >= CLOSED_SHARE * 10):
                break
            way = chance.choice(ways[: 1 if len(decisions) > 6 else 2])
            at = min(at + dt.timedelta(hours=chance.randrange(4, 24 * 20)), NOW)
            decisions.append(
                [case_id, len(decisions) + 1, way.outcome, state, way.target, "user", str(chance.choice(crowd.staff)), "",
                 way.role, applicant[0], "材料齐全，数据与原始凭证一致，同意。", "[]", "{}", "", at]
            )  # fmt: skip
            state = way.target
            if len(decisions) > 14:
                break
        closed = not any(way.source == state for way in version.transitions)
        due = None if closed or case_id % 3 else (at + dt.timedelta(days=chance.randrange(5, 45))).date()
        yield (
            [case_id, number, process, version.id, SUBJECT.get(process, process), f"b{case_id}", title, applicant[2],
             applicant[0], state, len(decisions), opened, "system", "worker", at, 20 if due else None, due,
             at if closed else None, None, ""],
            decisions,
            [case_id, "verifier", chance.choice(crowd.verifiers), opened] if process == "issuance" else None,
        )  # fmt: skip


def _write_cases(walks: Sequence[Walk]) -> None:
    decisions: list[list[object]] = []
    parties: list[list[object]] = []
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        with cursor.copy(
            "copy workflow_case (id, number, process, process_version_id, subject_type, subject_id, title, area,"
            " organisation_id, state, step, opened_at, opened_by_kind, opened_by_id, entered_at, deadline_working_days,"
            " deadline_day, closed_at, assigned_to_id, assigned_role) from stdin"
        ) as copy:
            for case, taken, party in walks:
                copy.write_row(case)
                decisions += taken
                parties += [party] if party else []
        with cursor.copy(
            "copy workflow_decision (case_id, step, outcome, from_state, to_state, actor_kind, actor_id, on_behalf_of, role,"
            ' organisation_id, opinion, evidence, "values", sha256, at) from stdin'
        ) as copy:
            for row in decisions:
                copy.write_row(row)
        with cursor.copy(
            "copy workflow_caseparty (case_id, role, organisation_id, named_at) from stdin"
        ) as copy:
            for row in parties:
                copy.write_row(row)
        cursor.execute("set session_replication_role = origin")


def run(*, cases: int, repeats: int) -> None:
    """Build the province, open every page `repeats` times, print times; and how many of the goal's pages keep it."""
    timezone.now = lambda: NOW
    connection.settings_dict["CONN_MAX_AGE"] = 600  # as in production: a connection outlives a request
    began = time.perf_counter()
    world = build(cases)
    print(f"{cases:,} cases written and indexed in {time.perf_counter() - began:.0f} s")
    measure(world, repeats=repeats)


def measure(world: World, *, repeats: int) -> None:
    """Open every page and print its times, and the load under which they were taken."""
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(
        f"{'page':<30} {'who':<11} {'median':>7} {'p95':>7} {'cpu':>6} {'queries':>8}   (milliseconds; cpu: web process and server process)"
    )
    for label, name, address in pages(world):
        client = signed_in(world.users[name])
        _measure(label, name, lambda c=client, a=address: _open(c, a), repeats=repeats)
    print(f"load average {os.getloadavg()[0]:.1f}")


def signed_in(user: User) -> Client:
    """Return the browser of somebody who has signed in as the page does it, for as long as the measurement takes."""
    client = Client()
    client.force_login(user)
    day = dt.timedelta(days=1)
    session = client.session
    session[SESSION_STAMP] = session_stamp(SessionRules(idle=day, age=day, fresh=day), at=NOW)
    session.set_expiry(int(day.total_seconds()))
    session.save()
    return client


def pages(world: World) -> Sequence[tuple[str, str, str]]:
    """Return what is measured: a label, who opens it, and the address."""
    roles = ("maker", "checker", "subcentre", "city maker", "regulator", "expert", "verifier", *APPLICANTS)
    searches = (
        ("two characters", "光伏"),
        ("a number", world.number),
        ("rare", world.rare),
        ("common", "季度"),
        ("phrase", "共享单车社区"),
    )
    return (
        *(("inbox", name, "/w/") for name in roles),
        ("inbox, one process", "maker", "/w/?process=issuance"),
        ("inbox, a text", "maker", "/w/?text=光伏"),
        ("inbox, page 3", "maker", "/w/?page=3"),
        ("inbox as a file", "city maker", "/w/inbox.xlsx"),
        *(("cases", name, "/w/cases") for name in ("maker", "city maker", "owner", "verifier", "expert")),
        ("cases, page 20", "maker", "/w/cases?page=20"),
        ("board", "maker", "/w/board"),
        ("board", "regulator", "/w/board?process=issuance"),
        ("my identity, for comparison", "maker", "/w/me"),
        *((f"search: {what}", name, f"/w/cases?q={text}") for what, text in searches for name in ("maker", "city maker", "owner")),
    )  # fmt: skip


def _open(client: Client, address: str) -> None:
    answer = client.get(address)
    if answer.streaming:
        for _ in answer.streaming_content:
            pass
    assert answer.status_code == 200, (address, answer.status_code)


def _measure(label: str, who: str, act: Callable[[], None], *, repeats: int) -> None:
    act()
    with _counted() as asked:
        act()
    times = []
    before = _processor_seconds()
    for _ in range(repeats):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    cpu = (_processor_seconds() - before) * 1000 / repeats
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"{label:<30} {who:<11} {statistics.median(times):>7.1f} {p95:>7.1f} {cpu:>6.1f} {asked[0]:>8}",
        flush=True,
    )


@contextmanager
def _counted() -> Iterator[list[int]]:
    """Count the queries of what runs inside; the request's own signal would forget them."""
    counted = [0]

    def count(execute: Callable[..., object], *arguments: object) -> object:
        counted[0] += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        yield counted


def _processor_seconds() -> float:
    """Return the processor time of this process and of its database server process, which load does not stretch."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
