"""The permission table of this face: every address by name, and who may open it."""

from __future__ import annotations

from collections.abc import Mapping

from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.interfaces.access.domain import PUBLIC, RouteRule, only

ROUTES: Mapping[str, RouteRule] = {
    "api-root": PUBLIC,
    "openapi-json": PUBLIC,
    "docs": PUBLIC,
    "batches": only(Role.PARTNER),
    "batch": only(Role.PARTNER),
    "records": only(Role.PARTNER),
    "record": only(Role.PARTNER),
    "results": only(Role.PARTNER),
    "batch-rejected": only(Role.PARTNER),
    "batch-to-correct": only(Role.PARTNER),
    "reconciliation": only(Role.PARTNER),
    "reconciliation-records": only(Role.PARTNER),
    "certificate": PUBLIC,
    "log-head": PUBLIC,
    "keys": PUBLIC,
}
