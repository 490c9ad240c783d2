"""The permission table of this face: every address by name, and who may open it."""

from __future__ import annotations

from collections.abc import Mapping

from tanpuhui.interfaces.access.domain import RouteRule

ROUTES: Mapping[str, RouteRule] = {}
