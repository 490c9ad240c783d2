"""Guards of the filing process: each raises the refusal that says what is missing. Missing data never passes."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.science.methodology.domain import (
    Conclusion,
    ConclusionMissing,
    ConclusionStands,
    PanelIncomplete,
    ReviewsOpen,
    SeatState,
    StatusKind,
    VersionStanding,
    VersionState,
)
from tanpuhui.science.methodology.models import MethodologyFiling
from tanpuhui.science.methodology.queries._life import version_standing
from tanpuhui.science.methodology.queries._panels import (
    PanelView,
    panel_of_case,
    signed_meeting,
    submitted_by,
)
from tanpuhui.science.methodology.queries._versions import version


def panel_seated(*, case_id: int, **_: object) -> None:
    """Guard: enough experts have declared to be free of interest, and nobody still has to. Raises PanelIncomplete."""
    require_panel(case_id)


def reviews_complete(*, case_id: int, **_: object) -> None:
    """Guard: everybody seated has handed in an opinion on the version that is before them. Raises ReviewsOpen."""
    require_reviews_complete(case_id)


def conclusion_recommends(*, case_id: int, **_: object) -> None:
    """Guard: the meeting signed that the version is recommended. Raises ConclusionMissing."""
    _require_conclusion(case_id, Conclusion.RECOMMEND)


def conclusion_returns(*, case_id: int, **_: object) -> None:
    """Guard: the meeting signed that the version goes back for correction. Raises ConclusionMissing."""
    _require_conclusion(case_id, Conclusion.RETURN)


def conclusion_rejects(*, case_id: int, **_: object) -> None:
    """Guard: the meeting signed that the version is not recommended. Raises ConclusionMissing."""
    _require_conclusion(case_id, Conclusion.REJECT)


def conclusion_void(*, case_id: int, **_: object) -> None:
    """Guard: no signed conclusion holds any more, because an expert was excluded. Raises ConclusionStands."""
    found = panel_of_case(case_id)
    if found is None or signed_meeting(found.panel_id, version_id=found.version_id) is not None:
        raise ConclusionStands


def version_in_force(*, at: datetime, subject_id: str, **_: object) -> None:
    """Guard: the filed version is neither suspended nor at its end. Raises VersionStanding."""
    _require_standing(int(subject_id), at=at, wanted=(None,))


def version_suspended(*, at: datetime, subject_id: str, **_: object) -> None:
    """Guard: the filed version is suspended. Raises VersionStanding."""
    _require_standing(int(subject_id), at=at, wanted=(StatusKind.SUSPENDED,))


def version_not_repealed(*, at: datetime, subject_id: str, **_: object) -> None:
    """Guard: the filed version is not repealed. Raises VersionStanding."""
    _require_standing(int(subject_id), at=at, wanted=(None, StatusKind.SUSPENDED, StatusKind.SUPERSEDED))


def require_panel(case_id: int) -> PanelView:
    """Return the seated panel of a case. Raises PanelIncomplete."""
    found = panel_of_case(case_id)
    if found is None:
        raise PanelIncomplete(declared=0, quorum="?", waiting=0)
    waiting = [seat for seat in found.seats if seat.state == SeatState.SEATED]
    if waiting or len(found.declared) < found.quorum:
        raise PanelIncomplete(declared=len(found.declared), quorum=found.quorum, waiting=len(waiting))
    return found


def require_reviews_complete(case_id: int) -> PanelView:
    """Return the panel, if all of it has handed in opinions on the version before it. Raises PanelIncomplete, ReviewsOpen."""
    found = require_panel(case_id)
    handed_in = submitted_by(found.panel_id, version_id=found.version_id)
    missing = [seat for seat in found.declared if seat.expert_number not in handed_in]
    if missing:
        raise ReviewsOpen(open=len(missing), version=_version_name(case_id))
    return found


def _require_standing(version_id: int, *, at: datetime, wanted: tuple[StatusKind | None, ...]) -> None:
    row = version(version_id)
    standing = version_standing(version_id, day=business_day(at))
    if row.state != VersionState.FILED or standing not in wanted:
        status = row.state if row.state != VersionState.FILED else (standing.value if standing else "filed")
        raise VersionStanding(filing_number=row.filing_number or "—", status=status)


def _require_conclusion(case_id: int, wanted: Conclusion) -> None:
    found = panel_of_case(case_id)
    meeting = None if found is None else signed_meeting(found.panel_id, version_id=found.version_id)
    if meeting is None or meeting.conclusion != wanted:
        raise ConclusionMissing(version=_version_name(case_id), wanted=wanted.value)


def _version_name(case_id: int) -> str:
    row = MethodologyFiling.objects.select_related("version").filter(case_id=case_id).first()
    return f"{row.version.code} {row.version.version}" if row is not None else "?"
