"""The permission table of routes (路由权限表): every address of every face, installed once by `config.wiring`."""

from __future__ import annotations

from collections.abc import Mapping

from tanpuhui.interfaces.access.domain import RouteRule

_rules: dict[str, RouteRule] = {}


def install_routes(faces: Mapping[str, Mapping[str, RouteRule]]) -> None:
    """Set the rule of each `face:name`; what belongs to no face stands under the empty name."""
    _rules.clear()
    _rules.update(
        {f"{face}:{name}".lstrip(":"): rule for face, rules in faces.items() for name, rule in rules.items()}
    )


def route_rule(view_name: str) -> RouteRule | None:
    """Return the rule of a route, None for one that the table does not know."""
    return _rules.get(view_name)


def route_rules() -> Mapping[str, RouteRule]:
    """Return the whole table."""
    return dict(_rules)
