"""What should never be of scenarios: a version that is not what its hash says, a live application without its feed."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from tanpuhui.behaviour.activity.adapters.contents import content_of, content_sha256
from tanpuhui.behaviour.activity.domain.applications import feed_definition_sha256
from tanpuhui.behaviour.activity.models import ScenarioApplicationVersion
from tanpuhui.foundation.kernel.breaches import Breach


def scenario_breaches() -> Iterator[Breach]:
    """Report contents that changed, live applications without scenario or feed, and standings nobody approved."""
    for row in ScenarioApplicationVersion.objects.order_by("application_id", "version").iterator(
        chunk_size=100
    ):
        content = content_of(row.content)
        found = (content_sha256(content), feed_definition_sha256(content))
        if found != (row.content_sha256, row.definition_sha256):
            yield Breach(
                invariant="activity.application_version_has_its_hash",
                subject=f"scenario_application:{row.application_id}",
                detail=f"version {row.version}: {found}",
            )
    yield from _found(
        "activity.live_application_has_its_feed",
        "select 'scenario_application:' || a.id, coalesce(a.feed_id::text, 'no feed') "
        "from activity_scenario_application a left join activity_feed f on f.id = a.feed_id "
        "and f.scenario_id = a.scenario_id where a.state = 'live' and f.id is null",
    )
    yield from _found(
        "activity.standing_was_approved",
        "select 'scenario:' || s.code, 'status ' || t.id from activity_scenario_status t "
        "join activity_scenario s on s.id = t.scenario_id left join activity_standing_change c "
        "on c.case_id = t.case_id and c.scenario_id = t.scenario_id and c.standing = t.standing and c.state = 'done' "
        "where c.id is null",
    )


def _found(invariant: str, sql: str) -> Iterator[Breach]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        for subject, detail in cursor.fetchall():
            yield Breach(invariant=invariant, subject=subject, detail=detail)
