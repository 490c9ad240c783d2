"""One table says who may call which operation, and within what; it is held against the code by calling it.

`permissions.csv` has one row for each operation: its roles, and what limits them. A new operation fails here until
somebody has written, and somebody else has read, its row. What the limits mean:

- `area`, `organisation`, `area or organisation`: only inside the actor's area, only for their own organisation; tried on
  both sides of the limit in tests/integration/interfaces/workbench/test_limits.py.
- `province`: only for who watches the whole province. `scheme`: an act by rule on everything at once.
- `case`, `panel`: the parties, area and process of the case, the seats of the panel.
- `self`: one's own account or thing. `visitor`: before anybody is signed in. `anybody`: whoever is signed in.
- `effect`: only as what a decision sets off. `caller`: part of another operation, which says who may. `system`: the worker.
"""

from __future__ import annotations

import csv
import importlib
import inspect
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tanpuhui.foundation.audit.operations import OperationSpec, registered_operations
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotPermitted, Refusal

SOURCE = Path(__file__).resolve().parents[2] / "src" / "tanpuhui"
TABLE = Path(__file__).with_name("permissions.csv")
LIMITS = {
    "area", "organisation", "area or organisation", "province", "scheme", "case", "panel", "self", "visitor", "anybody",
    "effect", "caller", "system",
}  # fmt: skip
ROLES = [role for role in Role if role is not Role.SYSTEM]
AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
EVERYWHERE = "000000"


def operations() -> dict[str, OperationSpec]:
    """Return every operation of the product, whatever tests have imported or added."""
    for found in [*sorted(SOURCE.glob("*/*/operations/__init__.py")), SOURCE / "journeys" / "__init__.py"]:
        importlib.import_module(".".join(found.relative_to(SOURCE.parent).parent.parts))
    return {
        name: spec
        for name, spec in registered_operations().items()
        if spec.function.__module__.startswith("tanpuhui.")
    }


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def holding(*roles: Role) -> Actor:
    """Return somebody who holds roles everywhere, for an organisation that there is not."""
    return Actor(
        kind="user", id="999999999", grants=tuple(Grant(role, 999_999_999, EVERYWHERE) for role in roles)
    )


def arguments(function: Any) -> dict[str, Any]:
    """Return arguments of which nothing but the actor is looked at."""
    names = set(inspect.signature(function).parameters) - {"actor", "at", "idempotency_key"}
    return dict.fromkeys(names)


def test_every_operation_has_its_row_and_every_row_its_operation() -> None:
    assert [row["operation"] for row in rows()] == sorted(operations())


def test_the_roles_of_the_table_are_those_of_the_code() -> None:
    declared = {
        name: " ".join(sorted(role.value for role in spec.roles)) or "any"
        for name, spec in operations().items()
    }
    assert {row["operation"]: row["roles"] for row in rows()} == declared


def test_every_limit_is_one_of_those_explained() -> None:
    assert {row["limit"] for row in rows()} - LIMITS == set()
    for row in rows():
        assert (row["limit"] == "system") == (row["roles"] == "system"), row


def test_administrators_of_the_scheme_decide_nothing_and_nobody_else_administers() -> None:
    administering = {"identity", "rulebook", "audit", "messages"}
    for row in rows():
        room = row["operation"].split(".")[0]
        if room not in administering and row["roles"] != "any":
            assert "_administrator" not in row["roles"], row
            assert "administrator" not in row["roles"].split(), row


@pytest.mark.django_db
def test_a_role_that_is_not_in_its_row_is_refused_by_every_operation() -> None:
    tried = 0
    for row in rows():
        if row["roles"] == "any":
            continue
        function = operations()[row["operation"]].function
        for role in ROLES:
            if role.value in row["roles"].split():
                continue
            tried += 1
            with pytest.raises(NotPermitted):
                function(actor=holding(role), at=AT, **arguments(function))
    assert tried > 1_000


@pytest.mark.django_db
@pytest.mark.parametrize(
    "row", [row for row in rows() if row["limit"] == "effect"], ids=lambda row: row["operation"]
)
def test_an_effect_is_refused_to_everybody_outside_its_decision(row: dict[str, str]) -> None:
    function = operations()[row["operation"]].function
    with pytest.raises(Refusal):
        function(actor=holding(*ROLES), at=AT, case_id=0, subject_id="0", opinion="不经决定")
