"""Letters of decisions: those of a case, and one as its verification page knows it (决定书)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.workflow.models import DecisionLetter

CODE_DIGITS = 16
"""So many digits of the decision's signature stand in the address of its verification page: nobody guesses one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """One letter; `code` is what its verification page is found by. It stands unless its decision was rescinded."""

    letter_id: int
    decision_id: int
    case_id: int
    case_number: str
    process_version_id: int
    from_state: str
    to_state: str
    outcome: str
    step: int
    kind: str
    number: str
    at: datetime
    sha256: str
    code: str
    rescinded: bool
    corrections: int


def letters_of(case_id: int) -> tuple[LetterView, ...]:
    """Return the letters of a case, and of the cases that amended its decisions: they are its parties' too. Oldest first."""
    amended = Q(decision__case__relations__other_id=case_id, decision__case__relations__kind="amends")
    rows = _rows().filter(Q(decision__case_id=case_id) | amended).distinct()
    return tuple(_view(row) for row in rows.order_by("id"))


def letter(*, case_id: int, letter_id: int) -> LetterView:
    """Return one of `letters_of` a case. Raises NotFound, also for another case's."""
    found = next((one for one in letters_of(case_id) if one.letter_id == letter_id), None)
    if found is None:
        raise NotFound(what="决定书 / letter", id=letter_id)
    return found


def letter_by_code(code: str) -> LetterView:
    """Return the letter that a verification address names. Raises NotFound, also for a wrong ending."""
    number, _, digits = code.partition("-")
    row = (
        _rows().filter(pk=int(number)).first()
        if number.isascii() and number.isdigit() and len(number) < 19
        else None
    )
    if row is None or len(digits) != CODE_DIGITS or not row.decision.sha256.startswith(digits):
        raise NotFound(what="决定书 / letter", id=code)
    return _view(row)


def _rows() -> QuerySet[DecisionLetter]:
    return DecisionLetter.objects.select_related("decision__case").prefetch_related(
        "decision__corrections", "decision__rescinded_by"
    )


def _view(row: DecisionLetter) -> LetterView:
    decision = row.decision
    return LetterView(
        letter_id=row.pk,
        decision_id=decision.pk,
        case_id=decision.case_id,
        case_number=decision.case.number,
        process_version_id=decision.case.process_version_id,
        from_state=decision.from_state,
        to_state=decision.to_state,
        outcome=decision.outcome,
        step=decision.step,
        kind=row.kind,
        number=row.number,
        at=row.at,
        sha256=decision.sha256,
        code=f"{row.pk}-{decision.sha256[:CODE_DIGITS]}",
        rescinded=getattr(decision, "rescinded_by", None) is not None,
        corrections=len(decision.corrections.all()),
    )
