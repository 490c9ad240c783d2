"""Is the process alive, and can it serve (探活)."""

from __future__ import annotations

from datetime import timedelta

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from tanpuhui.books.transparency.queries import waiting_since

LOG_LAG_MAX = timedelta(seconds=60)
"""A head is signed each second; a leaf that waits longer than this means that the sequencer stands still."""


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """Say that the process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Say whether the database answers and the public log keeps up; 503 where not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        since = waiting_since()
    except DatabaseError:
        return JsonResponse({"database": "down", "log": "unknown"}, status=503)
    lag = timedelta(0) if since is None else timezone.now() - since
    fresh = lag <= LOG_LAG_MAX
    body = {
        "database": "ok",
        "log": "ok" if fresh else "behind",
        "log_lag_seconds": max(int(lag.total_seconds()), 0),
    }
    return JsonResponse(body, status=200 if fresh else 503)
