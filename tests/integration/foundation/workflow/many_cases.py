"""A thousand cases in a moment: copies of the first one, past operations, as only a test may."""

from __future__ import annotations

from django.db import connection

from tanpuhui.foundation.workflow.models import Case
from tanpuhui.foundation.workflow.operations import index_cases


def copy_first_case(count: int) -> None:
    """Copy the first case, which must not have moved, so many times; call it with another count each time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into workflow_case (number, process, process_version_id, subject_type, subject_id, title, area,"
            " organisation_id, state, step, opened_at, opened_by_kind, opened_by_id, entered_at, assigned_role)"
            " select c.number || '-%s-' || n, process, process_version_id, subject_type, 'copy-%s-' || n, title || n, area,"
            " organisation_id, state, step, opened_at, opened_by_kind, opened_by_id, entered_at, ''"
            " from (select * from workflow_case order by id limit 1) c, generate_series(1, %s) n",
            [count, count, count],
        )
    index_cases(Case.objects.filter(subject_id__startswith="copy").values_list("pk", flat=True))
