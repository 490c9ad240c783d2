"""A province with its processes, two organisations, and somebody for every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.integration.foundation.workflow.made_up_province import write_province

from tanpuhui.config.wiring import SUBSCRIBERS
from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.identity.models import Membership, Organisation, User
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.persistence.events import install_subscribers
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.rulebook.models import Transition
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.domain import APPLICANT_ROLES
from tanpuhui.foundation.workflow.operations import (
    CaseOpened,
    Decided,
    attach,
    decide,
    install_effects,
    install_guards,
    installed_effects,
    open_case,
)

SUBJECT_TYPE = "thing"


@dataclass(kw_only=True)
class Province:
    """What a test needs to open and decide cases."""

    at: datetime
    area: str
    owner_id: int
    verifier_id: int
    heard: list[dict[str, object]] = field(default_factory=list)

    def actor(self, role: Role | str, *, user_id: int = 0, organisation_id: int | None = None) -> Actor:
        """Return somebody who holds the role over the whole area, for the organisation that the cases here name."""
        if role == Role.SYSTEM:
            return SYSTEM
        own = dict.fromkeys(APPLICANT_ROLES, self.owner_id) | {Role.VERIFIER: self.verifier_id}
        number = user_id or 1000 + list(Role).index(Role(role))
        grant = Grant(role=Role(role), organisation_id=organisation_id or own.get(Role(role)), area=self.area)
        return Actor(kind="user", id=str(number), grants=(grant,))

    def open(
        self, process: str, *, subject_id: str = "1", area: str | None = None, by: Actor = SYSTEM
    ) -> CaseOpened:
        """Open a case with owner and verifier."""
        return open_case(
            actor=by,
            at=self.at,
            process=process,
            subject_type=SUBJECT_TYPE,
            subject_id=subject_id,
            title="一件事",
            area=area or self.area,
            organisation_id=self.owner_id,
            parties={Role.VERIFIER: self.verifier_id},
        )

    def decide(
        self,
        case_id: int,
        outcome: str,
        actor: Actor | Role,
        *,
        opinion: str = "同意",
        at: datetime | None = None,
        seen_step: int | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Decided:
        """Decide as somebody, or as whoever holds a role."""
        return decide(
            actor=actor if isinstance(actor, Actor) else self.actor(actor),
            at=at or self.at,
            idempotency_key=None,
            case_id=case_id,
            outcome=outcome,
            opinion=opinion,
            seen_step=seen_step,
            values=values,
        )

    def attach(
        self,
        case_id: int,
        kind: str,
        *,
        content: bytes = b"x",
        actor: Actor | None = None,
        name: str = "材料.txt",
    ) -> int:
        """Put a document of a kind on a case; return its version."""
        stored = store_document(content=content, name=name, media_type="text/plain", at=self.at)
        return attach(
            actor=actor or self.actor(Role.OWNER),
            at=self.at,
            idempotency_key=None,
            case_id=case_id,
            kind=kind,
            name=name,
            sha256=stored.sha256,
        ).version

    def person(self, role: Role, name: str, *, organisation_id: int | None = None) -> Actor:
        """Insert a user who holds a role over the area, so that a row can name them."""
        user = User.objects.create(
            username=name, display_name=name, area=self.area, is_citizen=False, joined_at=self.at
        )
        own = organisation_id or self.actor(role).grants[0].organisation_id or self.owner_id
        Membership.objects.create(
            user=user, organisation_id=own, role=role.value, area=self.area, valid_from=self.at
        )
        return self.actor(role, user_id=user.pk, organisation_id=own)

    def hear(self, **arguments: object) -> None:
        """Stand in the table of effects and remember each call."""
        self.heard.append(arguments)


def passes(**_: object) -> None:
    """Stand in the table of guards for a check that finds nothing missing."""


def organisation(kind: str, number: int, *, at: datetime, area: str) -> int:
    """Insert an organisation and return its identifier."""
    uscc = complete_uscc("91000000", f"{number:08d}")
    row = Organisation.objects.create(
        kind=kind, name=f"{kind}{number}", name_en=f"{kind} {number}", uscc=uscc, area=area, admitted_at=at
    )
    return int(row.pk)


@pytest.fixture
def province_of(db: None, now: datetime, settings: Settings) -> Iterator[Callable[[Path], Province]]:
    """Load a jurisdiction folder, insert its two organisations, and wire every outcome of its processes."""
    before = installed_effects()

    def make(folder: Path) -> Province:
        settings.TANPUHUI_JURISDICTION_DIR = folder
        load_jurisdiction(actor=SYSTEM, at=now, folder=folder)
        area = rulebook.jurisdiction().area
        found = Province(
            at=now,
            area=area,
            owner_id=organisation("owner", 1, at=now, area=area),
            verifier_id=organisation("verifier", 2, at=now, area=area),
        )
        install_subscribers(dict.fromkeys(SUBSCRIBERS, ()))
        outcomes = Transition.objects.values_list("outcome", flat=True).distinct()
        install_effects({(SUBJECT_TYPE, outcome): found.hear for outcome in outcomes})
        named = {guard for guards in Transition.objects.values_list("guards", flat=True) for guard in guards}
        install_guards(
            {(SUBJECT_TYPE, guard): passes for guard in named - {"notice_over", "objections_answered"}}
        )
        return found

    yield make
    install_effects(before)


@pytest.fixture
def province(province_of: Callable[[Path], Province], tmp_path: Path) -> Province:
    return province_of(write_province(tmp_path / "made-up"))
