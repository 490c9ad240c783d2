"""A partner that calls too often or sends too much is told to wait, keeps nothing of the request, and goes on afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.integration.behaviour.activity.town import CITY, LONG_AGO, Town, build, bus, csv

from tanpuhui.behaviour.activity.models import Batch, PartnerCalls, PushedRecord
from tanpuhui.behaviour.activity.operations import forget_calls, post_batch
from tanpuhui.behaviour.activity.queries import quota_use
from tanpuhui.foundation.identity.operations import issue_api_key
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.rulebook.models import Parameter

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 4, 0, 20, tzinfo=UTC)
Post = Callable[..., Any]


def rule(key: str, value: str, scope: str = "partner") -> None:
    Parameter.objects.create(
        key=key, scope=scope, value=value, unit="1", basis="测试", confidence="DEMO", note="", pack="test",
        rank=9, valid_from=date(2018, 1, 1),
    )  # fmt: skip


@pytest.fixture
def town(db: None, own_folder: object) -> Town:
    return build(subjects=("S1",))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    def stands(at: datetime) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: at)

    stands(NOON)
    return stands


@pytest.fixture
def post(town: Town, client: Client) -> Post:
    """Return what sends a request under its own key, as the partner's system."""
    key = issue_api_key(actor=SYSTEM, at=LONG_AGO, organisation_id=town.partner_id, name="系统").key

    def send(path: str, body: bytes, *, under: str, kind: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": under, "X-File-Name": "a.csv"}
        return client.post(f"/api/v1/{path}", data=body, content_type=kind, headers=headers)

    return send


def records(*numbers: int) -> bytes:
    return json.dumps(
        [
            {
                "record_id": f"P{n}", "subject": "S1", "scenario": "bus",
                "started_at": "2026-11-18T08:00:00+08:00", "area": CITY, "distance_km": "8.4",
            }
            for n in numbers
        ]
    ).encode()  # fmt: skip


def test_calls_of_a_minute_are_limited_and_the_next_minute_is_free(
    town: Town, post: Post, clock: Callable[[datetime], None]
) -> None:
    rule("api.calls_per_minute_max", "2")
    assert [post("records", records(n), under=f"k{n}").status_code for n in (1, 2)] == [202, 202]
    refused = post("records", records(3), under="k3")
    assert (refused.status_code, refused["Retry-After"], refused.json()["code"]) == (
        429,
        "40",
        "QUOTA_EXCEEDED",
    )
    assert refused.json()["retryable"] is True
    assert PushedRecord.objects.count() == 2
    clock(NOON + timedelta(seconds=40))
    assert post("records", records(3), under="k3").status_code == 202


def test_nothing_is_counted_where_no_rule_limits(town: Town, post: Post, clock: object) -> None:
    assert post("records", records(1), under="k1").status_code == 202
    assert PartnerCalls.objects.count() == 0


def test_records_of_a_day_are_limited_files_and_pushes_together(
    town: Town, post: Post, clock: Callable[[datetime], None]
) -> None:
    rule("api.records_per_day_max", "4")
    sent = post("batches", csv(bus("F1"), bus("F2")), under="f1", kind="text/csv").json()
    post_batch(actor=SYSTEM, at=NOON, batch_id=sent["batch_id"])
    assert post("records", records(1, 2), under="k1").status_code == 202
    more = post("records", records(3), under="k2")
    assert (more.status_code, more["Retry-After"]) == (429, str(12 * 3600 - 20))
    assert post("records", records(1), under="k3").status_code == 202, (
        "what is known already is no new record"
    )
    file = post("batches", csv(bus("F3")), under="f2", kind="text/csv")
    assert (file.status_code, Batch.objects.count()) == (429, 1)
    use = quota_use(town.partner_id, at=NOON)
    assert (use.records, use.records_max, use.calls_max) == (4, 4, None)
    clock(NOON + timedelta(hours=12))
    assert post("batches", csv(bus("F3")), under="f2", kind="text/csv").status_code == 202


def test_a_partner_may_have_a_quota_of_its_own(town: Town, post: Post, clock: object) -> None:
    rule("api.calls_per_minute_max", "1")
    rule("api.calls_per_minute_max", "3", f"partner/{organisation(town.partner_id).uscc}")
    found = [post("records", records(n), under=f"k{n}").status_code for n in range(4)]
    assert found == [202, 202, 202, 429]


def test_counts_of_earlier_days_are_forgotten(town: Town, post: Post, clock: object) -> None:
    rule("api.calls_per_minute_max", "9")
    post("records", records(1), under="k1")
    assert forget_calls(actor=SYSTEM, at=NOON + timedelta(hours=23)).minutes == 0
    assert forget_calls(actor=SYSTEM, at=NOON + timedelta(hours=25)).minutes == 1
