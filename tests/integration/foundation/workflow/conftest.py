"""A province with its processes, two organisations, and somebody for every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.integration.foundation.workflow.made_up_province import write_province

from tanpuhui.config.wiring import SUBSCRIBERS
from tanpuhui.foundation.identity.models import Organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.persistence.events import install_subscribers
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.rulebook.models import Transition
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.domain import APPLICANT_ROLES
from tanpuhui.foundation.workflow.operations import CaseOpened, install_effects, installed_effects, open_case

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

    def open(self, process: str, *, subject_id: str = "1", area: str | None = None) -> CaseOpened:
        """Open a case with owner and verifier."""
        return open_case(
            actor=SYSTEM,
            at=self.at,
            process=process,
            subject_type=SUBJECT_TYPE,
            subject_id=subject_id,
            title="一件事",
            area=area or self.area,
            organisation_id=self.owner_id,
            parties={Role.VERIFIER: self.verifier_id},
        )

    def hear(self, **arguments: object) -> None:
        """Stand in the table of effects and remember each call."""
        self.heard.append(arguments)


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
        return found

    yield make
    install_effects(before)


@pytest.fixture
def province(province_of: Callable[[Path], Province], tmp_path: Path) -> Province:
    return province_of(write_province(tmp_path / "made-up"))
