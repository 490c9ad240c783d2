"""Who decided in the case that another one is about (独立办理): the SQL twin of `CaseFacts.decided_original`."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Exact

from tanpuhui.foundation.workflow.domain import CASE_SUBJECT

_DECIDED_IN_IT = """
exists (select 1 from workflow_decision d
 where d.case_id = case when workflow_case.subject_type = %s then workflow_case.subject_id::bigint end
 and array[d.actor_kind || ':' || d.actor_id, 'user:' || d.on_behalf_of] && %s::text[])
"""


def independent_of(persons: Sequence[str]) -> Q:
    """Return the cases about a case in which none of these persons (kind:id) decided, and all that are about none."""
    decided = RawSQL(_DECIDED_IN_IT, (CASE_SUBJECT, list(persons)), output_field=BooleanField())  # noqa: S611  no part of it comes from outside
    return Q(Exact(decided, False))
