"""What must always hold of public notices."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from tanpuhui.foundation.kernel.breaches import Breach

_CHECKS = {
    "workflow.notice_is_of_the_present_step": (
        "select 'notice:' || n.id, 'open at step ' || n.step || ', the case stands at ' || c.step"
        " from workflow_notice n join workflow_case c on c.id = n.case_id where n.closed_at is null and n.step <> c.step"
    ),
    "workflow.notice_state_has_its_notice": (
        "select 'case:' || c.number, 'is in ' || c.state || ' without an open notice' from workflow_case c"
        " join rulebook_processstate s on s.process_version_id = c.process_version_id and s.code = c.state and s.notice"
        " where not exists (select 1 from workflow_notice n where n.case_id = c.id and n.step = c.step and n.closed_at is null)"
    ),
    "workflow.no_objection_is_passed_over": (
        "select 'notice:' || n.id, 'closed by the system over objection ' || k.id"
        " from workflow_notice n join workflow_noticecomment k on k.notice_id = n.id and k.objection"
        " join workflow_decision d on d.case_id = n.case_id and d.step = n.step + 1 and d.role = 'system'"
        " left join workflow_commentanswer a on a.comment_id = k.id"
        " left join workflow_commentwithdrawal w on w.comment_id = k.id"
        " where w.id is null and (a.id is null or a.upheld or a.at > d.at)"
    ),
    "workflow.comment_lies_in_its_notice": (
        "select 'comment:' || k.id, 'made at ' || k.at from workflow_noticecomment k join workflow_notice n on n.id = k.notice_id"
        " where k.at < n.opened_at or (k.at at time zone 'UTC' + interval '8 hours')::date > greatest(n.closes_on,"
        " (select max(e.closes_on) from workflow_noticeextension e where e.notice_id = n.id))"
    ),
}


def notice_breaches() -> Iterator[Breach]:
    """Find notices beside their step, states without one, objections passed over, and comments out of time."""
    for invariant, sql in _CHECKS.items():
        with connection.cursor() as cursor:
            cursor.execute(sql)
            for subject, detail in cursor.fetchall():
                yield Breach(invariant=invariant, subject=subject, detail=detail)
