"""Step 3, resolve (对应到人): methodology of the day, person behind the subject, account, consent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction

import pyarrow as pa
import pyarrow.compute

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.domain import PERSON_OWNER
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk, PointsRule
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.science.methodology import queries as methodology

CAP_SCOPE = "account"
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""The end of a consent that stands."""
CHINA_AHEAD_MICRO = 8 * 3600 * 1_000_000


Found = tuple[int | None, str, str]
"""The version that calculates, or the reason why none can, and the value shown with the reason."""


def find_methodologies(desk: Desk, look_up: Callable[[Desk, str, date], Found] | None = None) -> None:
    """Make `ruled` of `good`: each row with the version for its scenario and day; a day without one is named.

    Posting looks up the filed version and the points rule; the sandbox brings a look-up of its own.
    """
    pairs = desk.tables.execute("select distinct scenario, day from good order by 1, 2").fetchall()
    found = [(scenario, day, *(look_up or _filed)(desk, scenario, day)) for scenario, day in pairs]
    desk.tables.register(
        "version_found",
        pa.table(
            {
                "scenario": pa.array([f[0] for f in found], pa.string()),
                "day": pa.array([f[1] for f in found], pa.date32()),
                "version_id": pa.array([f[2] for f in found], pa.int64()),
                "reason": pa.array([f[3] for f in found], pa.string()),
                "value": pa.array([f[4] for f in found], pa.string()),
            }
        ),
    )
    desk.tables.execute("create table version_of as select * from version_found")
    desk.settle_from(
        "select g.row_number, v.reason, 'scenario' as field, v.value from good as g "
        "join version_of as v using (scenario, day) where v.reason != ''"
    )
    desk.tables.execute(
        "create view ruled as select g.*, v.version_id from good as g "
        "join version_of as v using (scenario, day) where v.reason = ''"
    )


def _filed(desk: Desk, scenario: str, day: date) -> Found:
    """Return the version that is filed for the day, if the points rule of the day has a value."""
    try:
        filed = methodology.filed_version(scenario=scenario, day=day)
    except methodology.NoFiledMethodology:
        return None, "NO_METHODOLOGY", f"{scenario} {day}"
    version_id, reason, value = usable_version(desk, filed.id)
    if version_id is not None:
        reason, value = _points_rule(desk, scenario, day)
    return version_id, reason, value


def usable_version(desk: Desk, version_id: int) -> Found:
    """Put a version on the desk, and say whether intake can calculate with it."""
    version = desk.versions.get(version_id) or methodology.loaded(version_id)
    desk.versions[version_id] = version
    if version.blocked_by:
        return None, "PARAMETER_UNSET", f"{version.code} {version.version}: {', '.join(version.blocked_by)}"
    item = calculator.capped_field(version)
    unsupported = item is not None and item.places > calculator.NARROW_PLACES_MAX
    if version.cap is not None and (version.cap.scope != CAP_SCOPE or unsupported):
        return None, "CAP_NOT_SUPPORTED", f"{version.code} {version.version}: {version.cap.scope}"
    return version_id, "", ""


def _points_rule(desk: Desk, scenario: str, day: date) -> tuple[str, str]:
    """Note the dated rule of points; an unset one blocks, because nothing falls back silently."""
    rule = rulebook.parameter(key="points.per_gram", at=day, scope=scenario)
    if rule.value is None:
        return "PARAMETER_UNSET", f"points.per_gram [{scenario}] {day}"
    desk.rules[scenario, day] = PointsRule(
        per_gram=Fraction(rule.value), value=rule.value, basis=rule.basis, pack=rule.pack
    )
    return "", ""


def resolve_people(desk: Desk) -> None:
    """Turn `ruled` into `owned`, narrow rows of persons who have an account and consented, with the account.

    The subject itself goes no further and is not shown in the report; the row number says which it was.
    """
    subjects = [row[0] for row in desk.tables.execute("select distinct subject from ruled").fetchall()]
    users = identity.users_of_subjects(partner_id=desk.partner_id, subjects=subjects)
    accounts = ledger.accounts_of(owner_type=PERSON_OWNER, owner_ids=sorted(set(users.values())))
    known = list(users)
    desk.tables.register(
        "people_found",
        pa.table(
            {
                "subject": pa.array(known, pa.string()),
                "user_id": pa.array([users[subject] for subject in known], pa.int64()),
                "account_id": pa.array([accounts.get(users[subject]) for subject in known], pa.int64()),
            }
        ),
    )
    desk.tables.execute("create table people as select * from people_found")
    desk.tables.execute(
        "create table named as select r.row_number, r.scenario, r.version_id, r.evidence_tier, r.day, r.started, "
        "p.user_id, p.account_id from ruled as r left join people as p using (subject)"
    )
    desk.settle_from(
        "select row_number, case when user_id is null then 'PERSON_UNKNOWN' else 'NO_ACCOUNT' end as reason, "
        "'subject' as field, '' as value from named where account_id is null"
    )
    _register_consents(desk)
    desk.settle_from(
        "select n.row_number, 'NO_CONSENT' as reason, 'subject' as field, '' as value from "
        "(select * from named where account_id is not null) as n anti join consent as c "
        "on c.user_id = n.user_id and c.scenario = n.scenario and c.given_at <= n.started "
        "and n.started < c.withdrawn_at"
    )
    desk.rest_after("named", "owned")


def _register_consents(desk: Desk) -> None:
    """Give the tables every consent of the people in question, in local time."""
    spans: list[tuple[int, str, datetime, datetime]] = []
    for (scenario,) in desk.tables.execute("select distinct scenario from named order by 1").fetchall():
        rows = desk.tables.execute(
            "select distinct user_id from named where scenario = ? and account_id is not null", [scenario]
        ).fetchall()
        consents = identity.consents_of(user_ids=[row[0] for row in rows], scenario=scenario)
        spans.extend(
            (user_id, scenario, given_at, withdrawn_at or NEVER)
            for user_id, several in consents.items()
            for given_at, withdrawn_at in several
        )
    desk.tables.register(
        "consent_found",
        pa.table(
            {
                "user_id": pa.array([span[0] for span in spans], pa.int64()),
                "scenario": pa.array([span[1] for span in spans], pa.string()),
                "given_at": _local([span[2] for span in spans]),
                "withdrawn_at": _local([span[3] for span in spans]),
            }
        ),
    )
    desk.tables.execute("create table consent as select * from consent_found")


def _local(moments: list[datetime]) -> pa.Array:
    """Return aware moments as local time in China, without zone, as the rows have it."""
    micro = pa.array(moments, pa.timestamp("us", tz="UTC")).cast(pa.int64())
    return pa.compute.add(micro, CHINA_AHEAD_MICRO).cast(pa.timestamp("us"))
