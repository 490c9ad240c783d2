"""What the operator's file says of one way: each name is there, and no other."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tanpuhui.foundation.identity.domain.federation import FederationMisconfigured


def settled(
    way: str, told: Mapping[str, str], *, wanted: Collection[str], optional: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the settings of a way, those left out by their default. Raises FederationMisconfigured, naming them all."""
    may = dict(optional or {})
    missing = sorted(name for name in wanted if not told.get(name))
    unknown = sorted(set(told) - set(wanted) - set(may))
    if missing or unknown:
        parts = [
            f"缺 / missing: {', '.join(missing)}" if missing else "",
            f"不认识 / unknown: {', '.join(unknown)}" if unknown else "",
        ]
        raise FederationMisconfigured(why=f"{way}: " + "; ".join(part for part in parts if part))
    return {**may, **told}
