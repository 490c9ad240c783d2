"""What became of a partner's records, in one order, for its own systems (结果回传)."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Query, Router

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.interfaces.api.problems import problems
from tanpuhui.interfaces.api.schemas import Result, ResultsPage
from tanpuhui.interfaces.api.views.batches import partner_of
from tanpuhui.interfaces.api.views.records import CALLER

router = Router(tags=["results"])


@router.get(
    "/results",
    url_name="results",
    response={200: ResultsPage} | problems(401, 403, 422, 429),
    summary="依次读取记录的结果 / Read what became of records, one after the other",
    openapi_extra={"security": CALLER},
)
def results(
    request: HttpRequest,
    after: str = Query("", description="`next` of the page before; nothing to begin"),
    limit: int = Query(1_000, ge=1, le=5_000, description="lines at most"),
) -> ResultsPage:
    """Return results of the caller's own records after a cursor: counted, not counted, taken back, reinstated, recalculated.

    The order never changes and nothing is left out, so a system reads on from `next` and keeps the last line of each record. Grams
    are what the record gives from then on; points are reckoned by person and day and are no record's. Of a record whose traces are erased
    nothing is said, so a page can hold fewer lines than asked. Something new appears within a minute.
    """
    _, partner_id = partner_of(request)
    found = activity.results(partner_id=partner_id, after=after, limit=limit)
    return ResultsPage(
        results=[
            Result(
                part=one.part,
                batch_id=one.line.batch_id,
                row_number=one.line.row,
                record_id=one.line.record_id,
                day=one.line.day,
                scenario=one.scenario,
                methodology=one.methodology,
                state=one.line.state.value,
                reason=one.line.reason,
                grams=one.line.grams,
            )
            for one in found.results
        ],
        next=found.next,
        more=found.more,
    )
