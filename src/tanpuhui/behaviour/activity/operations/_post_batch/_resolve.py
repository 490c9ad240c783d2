"""Step 3, resolve (对应到人): methodology of the day, person behind the subject, account, consent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.domain import PERSON_OWNER
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk, PointsRule
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.persistence.locks import Busy
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.science.methodology import queries as methodology

CAP_SCOPE = "account"
NEVER_MICRO = 221_845_392_000_000_000
"""The year 9000 in microseconds, the end of a consent that stands."""
CHINA_AHEAD_MICRO = 8 * 3600 * 1_000_000


Found = tuple[int | None, str, str]
"""The version that calculates, or the reason why none can, and the value shown with the reason."""


def find_methodologies(desk: Desk, look_up: Callable[[Desk, str, date], Found] | None = None) -> None:
    """Make `ruled` of `good`: each row with the version for its scenario and day; a day without one is named.

    Posting looks up the filed version and the points rule; the sandbox brings a look-up of its own.
    """
    tiers: dict[tuple[str, date], list[int]] = {}
    for scenario, day, tier in desk.tables.execute(
        "select distinct scenario, day, evidence_tier from good order by 1, 2, 3"
    ).fetchall():
        tiers.setdefault((scenario, day), []).append(tier)
    found = [
        (*pair, *(look_up(desk, *pair) if look_up is not None else _filed(desk, *pair, several)))
        for pair, several in tiers.items()
    ]
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


def _filed(desk: Desk, scenario: str, day: date, tiers: Sequence[int]) -> Found:
    """Return the version that is filed for the day, if the points rule of the day has a value for every tier."""
    try:
        filed = methodology.filed_version(scenario=scenario, day=day)
    except methodology.NoFiledMethodology:
        return None, "NO_METHODOLOGY", f"{scenario} {day}"
    version_id, reason, value = usable_version(desk, filed.id)
    for tier in tiers if version_id is not None else ():
        reason, value = _points_rule(desk, scenario, tier, day)
        if reason:
            break
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


def _points_rule(desk: Desk, scenario: str, tier: int, day: date) -> tuple[str, str]:
    """Note the dated rule of points; an unset one blocks, because nothing falls back silently.

    Weaker evidence may have a rate of its own (scope `bus/tier-4`), else the scenario's holds; grams are the same for all.
    Source: research/policy.md section 5, rule key (scenario, evidence tier, date).
    """
    rule = rulebook.parameter(key="points.per_gram", at=day, scope=f"{scenario}/tier-{tier}")
    if rule.value is None:
        return "PARAMETER_UNSET", f"points.per_gram [{scenario}] {day}"
    desk.rules[scenario, tier, day] = PointsRule(
        per_gram=Fraction(rule.value), value=rule.value, basis=rule.basis, pack=rule.pack
    )
    return "", ""


@dataclass(frozen=True, kw_only=True, slots=True)
class People:
    """Who the subjects of a file are, place by place (0: nobody, no account), and every consent of theirs."""

    user_id: NDArray[np.int64]
    account_id: NDArray[np.int64]
    consents: identity.Consents
    scenarios: tuple[str, ...]


def find_users(desk: Desk) -> NDArray[np.int64]:
    """Return who each subject of the file is, place by place; 0 for nobody. Only the database is asked."""
    subjects = desk.subjects.to_pylist() if desk.subjects is not None else []
    return identity.users_in_columns(partner_id=desk.partner_id, subjects=subjects)


def note_users(desk: Desk) -> NDArray[np.int64]:
    """Find the users, and keep on the desk who they are and how many accounts were closed before that."""
    desk.closures_before = identity.closures_done()
    desk.users = find_users(desk)
    return desk.users


def check_nobody_left(desk: Desk) -> None:
    """Refuse, once nothing can be closed any more, if somebody's account was closed since they were looked up.

    The file is read again then, and finds the person unknown. Wants the posting lock, which a closure takes too.
    Raises Busy (retryable).
    """
    if desk.users is None or identity.closures_done() == desk.closures_before:
        return
    if np.isin(desk.users, np.fromiter(identity.users_closed(), np.int64)).any():
        raise Busy


def find_people(desk: Desk, users: NDArray[np.int64]) -> People:
    """Look up accounts and consents of the users. Only the database is asked, so that the tables can be busy meanwhile."""
    scenarios = tuple(sorted(desk.feeds))
    known = users > 0
    accounts = np.zeros(len(users), np.int64)
    accounts[known] = ledger.accounts_in_columns(owner_type=PERSON_OWNER, owner_ids=users[known])
    consents = identity.consents_in_columns(user_ids=users[accounts > 0], scenarios=scenarios)
    return People(user_id=users, account_id=accounts, consents=consents, scenarios=scenarios)


def resolve_people(desk: Desk, people: People) -> None:
    """Turn `ruled` into `owned`, narrow rows of persons who have an account and consented, with the account.

    The subject itself goes no further and is not shown in the report; the row number says which it was.
    """
    size = len(people.user_id)
    found = pa.table(
        {
            "person": pa.array(np.arange(size, dtype=np.int32)),
            "user_id": pa.array(people.user_id, mask=people.user_id == 0),
            "account_id": pa.array(people.account_id, mask=people.account_id == 0),
        }
    )
    desk.tables.register("people", found)
    desk.tables.execute(
        "create table named as select r.row_number, r.scenario, r.version_id, r.evidence_tier, r.day, r.started, "
        "p.user_id, p.account_id from ruled as r join people as p using (person)"
    )
    desk.settle_from(
        "select row_number, case when user_id is null then 'PERSON_UNKNOWN' else 'NO_ACCOUNT' end as reason, "
        "'subject' as field, '' as value from named where account_id is null"
    )
    desk.tables.register("consent", _consents(people))
    desk.settle_from(
        "select n.row_number, case when f.first is null then 'NO_CONSENT' when n.started < f.first then 'BEFORE_CONSENT' "
        "else 'AFTER_WITHDRAWAL' end as reason, 'subject' as field, '' as value from ("
        "select * from (select * from named where account_id is not null) as n anti join consent as c "
        "on c.user_id = n.user_id and c.scenario = n.scenario and c.given_at <= n.started and n.started < c.withdrawn_at"
        ") as n left join (select user_id, scenario, min(given_at) as first from consent group by all) as f "
        "using (user_id, scenario)"
    )
    desk.rest_after("named", "owned")


def _consents(people: People) -> pa.Table:
    """Return every consent of the people in question, in local time in China without zone, as the rows have it."""
    found = people.consents
    withdrawn = np.minimum(found.withdrawn, NEVER_MICRO)
    places = pa.array(found.scenario.astype(np.int8))
    return pa.table(
        {
            "user_id": found.user_id,
            "scenario": pa.DictionaryArray.from_arrays(places, list(people.scenarios)).cast(pa.string()),
            "given_at": pa.array(found.given + CHINA_AHEAD_MICRO).cast(pa.timestamp("us")),
            "withdrawn_at": pa.array(withdrawn + CHINA_AHEAD_MICRO).cast(pa.timestamp("us")),
        }
    )
