"""The signature of a decision: who said what when, chained to the step before (决定的签名)."""

from __future__ import annotations

from datetime import UTC

from tanpuhui.foundation.workflow.domain.archive import signed_sha256
from tanpuhui.foundation.workflow.models import Decision


def decision_sha256(decision: Decision, *, number: str, previous: str) -> str:
    """Return SHA-256 (hex) over the canonical JSON (RFC 8785) of a decision and the signature of the step before it."""
    return signed_sha256(signed(decision, number=number, previous=previous))


def signed(decision: Decision, *, number: str, previous: str) -> dict[str, object]:
    """Return what the signature covers.

    What it learned later is there only where it is said, so that an older decision keeps its signature.
    """
    said: dict[str, object] = {
        "case": number,
        "step": decision.step,
        "outcome": decision.outcome,
        "from": decision.from_state,
        "to": decision.to_state,
        "actor": f"{decision.actor_kind}:{decision.actor_id}",
        "on_behalf_of": decision.on_behalf_of,
        "role": decision.role,
        "organisation": decision.organisation_id,
        "opinion": decision.opinion,
        "evidence": list(decision.evidence),
        "values": dict(decision.values),
        "at": decision.at.astimezone(UTC).isoformat(),
        "previous": previous,
    }
    if decision.rescinds is not None:
        said["rescinds"] = decision.rescinds.step
    return said
