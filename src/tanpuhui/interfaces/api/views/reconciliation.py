"""What a partner sent on a day, and what became of each record (对账)."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from ninja import Router

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.interfaces.api.problems import problems
from tanpuhui.interfaces.api.schemas import DayReconciliation, ReconciledBatch
from tanpuhui.interfaces.api.views.batches import partner_of
from tanpuhui.interfaces.api.views.records import CALLER

router = Router(tags=["reconciliation"])


@router.get(
    "/reconciliation/{day}",
    url_name="reconciliation",
    response={200: DayReconciliation} | problems(401, 403, 422, 429),
    summary="读一天的对账汇总 / Read the totals of a day",
    openapi_extra={"security": CALLER},
)
def day_totals(request: HttpRequest, day: date) -> DayReconciliation:
    """Return every batch that was received on a day in China, pushed records among them, as it stands now."""
    _, partner_id = partner_of(request)
    found = activity.reconciliation(partner_id=partner_id, day=day)
    return DayReconciliation(
        day=found.day,
        rows=found.rows,
        verdicts=found.verdicts,
        grams=found.grams.value,
        points=found.points.value,
        batches=[
            ReconciledBatch(
                batch_id=one.batch_id,
                file_name=one.file_name,
                file_sha256=one.file_sha256,
                received_at=one.received_at,
                state=one.state,
                rows=one.rows,
                verdicts=one.verdicts,
                grams=one.grams.value,
                points=one.points.value,
            )
            for one in found.batches
        ],
        records_csv_url=request.build_absolute_uri(reverse("api:reconciliation-records", args=[day])),
    )


@router.get(
    "/reconciliation/{day}/records.csv",
    url_name="reconciliation-records",
    response={200: None} | problems(401, 403, 422, 429),
    summary="下载一天的逐条对账文件 / Download a line a record",
    openapi_extra={
        "responses": {
            200: {"description": "CSV in UTF-8", "content": {"text/csv": {"schema": {"type": "string"}}}}
        },
        "security": CALLER,
    },
)
def day_records(request: HttpRequest, day: date) -> StreamingHttpResponse:
    """Send a line for every record that was received on a day in China: verdict, reason and grams as they stand now."""
    _, partner_id = partner_of(request)
    lines = activity.reconciliation_csv(partner_id=partner_id, day=day)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="reconciliation-{day}.csv"'
    return response
