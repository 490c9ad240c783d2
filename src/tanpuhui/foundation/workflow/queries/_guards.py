"""Named checks that a process demands (守卫条件): (subject type, name) → function, installed by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.workflow.domain import EvidenceMissing, NoticeRuns, ObjectionsOpen
from tanpuhui.foundation.workflow.models import Attachment, Case, Notice, NoticeComment
from tanpuhui.foundation.workflow.queries._notices import last_day_of

Guard = Callable[..., None]
"""Called with at, case_id and subject_id; raises the Refusal that says what is missing, returns None when nothing is."""

_guards: dict[tuple[str, str], Guard] = {}


def install_guards(guards: Mapping[tuple[str, str], Guard]) -> None:
    """Replace the whole table of guards; called once by `config.wiring`."""
    _guards.clear()
    _guards.update(guards)


def installed_guards() -> Mapping[tuple[str, str], Guard]:
    """Return the table as it is installed, without the built-in ones."""
    return dict(_guards)


def check_guard(name: str, *, subject_type: str, at: datetime, case_id: int, subject_id: str) -> None:
    """Run one guard; raises its Refusal, or LookupError for a guard that nobody installed: it never passes."""
    guard = BUILT_IN.get(name) or _guards.get((subject_type, name))
    if guard is None:
        message = f"the guard {name!r} of {subject_type!r} is not installed in config/wiring.py"
        raise LookupError(message)
    guard(at=at, case_id=case_id, subject_id=subject_id)


def check_evidence(*, case: Case, kinds: tuple[str, ...], outcome: str) -> None:
    """Refuse while an attachment of a demanded kind is missing. Raises EvidenceMissing."""
    if not kinds:
        return
    there = set(Attachment.objects.filter(case=case, kind__in=kinds).values_list("kind", flat=True))
    missing = [kind for kind in kinds if kind not in there]
    if missing:
        raise EvidenceMissing(number=case.number, outcome=outcome, kinds=", ".join(missing), missing=missing)


def notice_over(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  every guard is called alike
    """Refuse until the notice of the present step has run its days; a step without a notice never passes."""
    case = Case.objects.get(pk=case_id)
    notice = Notice.objects.filter(case=case, step=case.step).first()
    if notice is None:
        raise NoticeRuns(number=case.number, closes_on="—")
    last_day = last_day_of(notice)
    if business_day(at) <= last_day:
        raise NoticeRuns(number=case.number, closes_on=last_day.isoformat())


def objections_answered(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  as above
    """Refuse while an objection to the present notice has no answer, or was found right; one taken back does not count."""
    case = Case.objects.get(pk=case_id)
    objections = NoticeComment.objects.filter(
        notice__case=case, notice__step=case.step, objection=True, withdrawal__isnull=True
    )
    waiting = objections.exclude(answer__upheld=False).count()
    if waiting or not Notice.objects.filter(case=case, step=case.step).exists():
        raise ObjectionsOpen(number=case.number, count=waiting)


BUILT_IN: Mapping[str, Guard] = {"notice_over": notice_over, "objections_answered": objections_answered}
"""Guards of this room, for any subject."""
