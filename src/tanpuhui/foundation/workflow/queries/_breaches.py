"""What must always hold of cases."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.workflow.models import Case, Decision
from tanpuhui.foundation.workflow.queries._notice_breaches import notice_breaches
from tanpuhui.foundation.workflow.queries._signature import decision_sha256
from tanpuhui.foundation.workflow.queries._views import Versions


def breaches() -> Iterator[Breach]:
    """Find every case whose state is not what its decisions, replayed over its pinned process, lead to; and `notice_breaches`."""
    versions = Versions()
    yield from notice_breaches()
    yield from _unfound()
    for row in Case.objects.order_by("id").prefetch_related("decisions__rescinds").iterator(chunk_size=1000):
        version = versions[row.process_version_id]
        state = version.initial_state
        for number, decision in enumerate(sorted(row.decisions.all(), key=lambda d: d.step), start=1):
            known = (
                _leads_back(decision)
                if decision.rescinds is not None
                else any(
                    (t.source, t.target, t.outcome, t.role)
                    == (state, decision.to_state, decision.outcome, decision.role)
                    for t in version.transitions
                )
            )
            if decision.step != number or decision.from_state != state or not known:
                detail = (
                    f"step {decision.step}: {decision.from_state} → {decision.to_state} by {decision.outcome}"
                )
                yield Breach(
                    invariant="workflow.decisions_follow_the_process",
                    subject=f"case:{row.number}",
                    detail=detail,
                )
            state = decision.to_state
        taken = len(row.decisions.all())
        if (row.state, row.step) != (state, taken):
            detail = f"{row.state} at step {row.step}; its decisions lead to {state} at step {taken}"
            yield Breach(
                invariant="workflow.state_is_what_was_decided", subject=f"case:{row.number}", detail=detail
            )
        yield from _unsigned(row)


def _unfound() -> Iterator[Breach]:
    """Find cases that lists do not know, or know for other organisations or in another area than their own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.number from workflow_case c left join workflow_casesearch s on s.case_id = c.id"
            " where s.case_id is null or (s.area, s.process) is distinct from (c.area, c.process)"
            " or s.organisations is distinct from coalesce((select array_agg(distinct o.id order by o.id) from"
            " (select c.organisation_id as id union select p.organisation_id from workflow_caseparty p"
            " where p.case_id = c.id) o where o.id is not null), '{}')"
        )
        for (number,) in cursor.fetchall():
            yield Breach(
                invariant="workflow.case_is_found_by_its_own",
                subject=f"case:{number}",
                detail="what lists know of the case is not what the case says",
            )


def _leads_back(decision: Decision) -> bool:
    """Say whether a rescission leads from where the rescinded decision of the same case led, to where it came from."""
    gone = decision.rescinds
    return gone is not None and (gone.case_id, gone.to_state, gone.from_state) == (
        decision.case_id,
        decision.from_state,
        decision.to_state,
    )


def _unsigned(row: Case) -> Iterator[Breach]:
    """Find decisions that are not what was signed; those made before signatures were kept have none, and no later one."""
    previous = ""
    for decision in sorted(row.decisions.all(), key=lambda d: d.step):
        unsigned = (
            previous
            if not decision.sha256
            else decision.sha256 != decision_sha256(decision, number=row.number, previous=previous)
        )
        if unsigned:
            yield Breach(
                invariant="workflow.decision_is_what_was_signed",
                subject=f"case:{row.number}",
                detail=f"step {decision.step}",
            )
        previous = decision.sha256
