"""What became of a partner's records, in one order that never changes, page by page (结果回传)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from tanpuhui.behaviour.activity.adapters.results import ANY_NEW, ResultLine, lines_of
from tanpuhui.behaviour.activity.domain.results import RESULTS_AT_ONCE_MAX, Cursor, read_cursor
from tanpuhui.behaviour.activity.models import Posting, ResultPart
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.science.methodology import queries as methodology


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultView:
    """A line of results with its scenario and the methodology that calculated it; both empty for a row that none did."""

    part: int
    line: ResultLine
    scenario: str
    methodology: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultPage:
    """Lines, the cursor to go on with, and whether there is more now."""

    results: tuple[ResultView, ...]
    next: str
    more: bool


def results(*, partner_id: int, after: str = "", limit: int = 1_000) -> ResultPage:
    """Return the results of a partner's records after a cursor; a page may hold fewer lines than asked, since of erased records nothing is said.

    The same cursor gives the same lines at any time, but for what was erased since. Raises CursorInvalid.
    """
    at = read_cursor(after)
    left = max(1, min(limit, RESULTS_AT_ONCE_MAX))
    found: list[ResultView] = []
    parts = ResultPart.objects.filter(partner_id=partner_id, number__gte=at.part).order_by("number")
    for part in parts.iterator(chunk_size=50):
        if left == 0:
            return ResultPage(results=tuple(found), next=str(at), more=True)
        lines = lines_of(part, offset=at.offset, limit=left)
        scenario, words = _calculated(part)
        found += [
            ResultView(part=part.number, line=line, scenario=scenario, methodology=words)
            for line in lines
            if line is not None
        ]
        taken, left = at.offset + len(lines), left - len(lines)
        at = (
            Cursor(part=part.number, offset=taken)
            if left == 0 and taken < part.records
            else Cursor(part=part.number + 1)
        )
    more = ResultPart.objects.filter(partner_id=partner_id, number__gte=at.part).exists()
    return ResultPage(results=tuple(found), next=str(at), more=more)


def results_to_number() -> bool:
    """Say whether anything became of records that has no number yet."""
    with connection.cursor() as cursor:
        cursor.execute(ANY_NEW)
        return bool(cursor.fetchone()[0])


def result_breaches() -> Iterator[Breach]:
    """Report numbers of a partner that have a gap, and postings of another partner among its results."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select partner_id, count(*), max(number) from activity_result_part group by 1 having count(*) <> max(number)"
        )
        for partner_id, n, last in cursor.fetchall():
            yield Breach(
                "activity.results_have_no_gap", f"organisation:{partner_id}", f"{n} parts, the last is {last}"
            )
        cursor.execute(
            "select r.partner_id, r.number from activity_result_part r join activity_posting p on p.id = r.posting_id "
            "where p.partner_id <> r.partner_id"
        )
        for partner_id, number in cursor.fetchall():
            yield Breach(
                "activity.results_are_the_partners_own",
                f"organisation:{partner_id}",
                f"part {number} is another's",
            )


def _calculated(part: ResultPart) -> tuple[str, str]:
    """Return the scenario of a part and the version that calculated it (A01 1.0)."""
    posting = Posting.objects.filter(pk=part.posting_id).first() if part.posting_id else None
    if posting is None:
        return "", ""
    version_id = posting.methodology_version_id
    if part.recalculation_id:
        version_id = _recalculated_to(part.recalculation_id)
    view = methodology.version(version_id)
    return posting.scenario, f"{view.code} {view.version}"


def _recalculated_to(recalculation_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("select to_version_id from activity_recalculation where id = %s", [recalculation_id])
        return int(cursor.fetchone()[0])
