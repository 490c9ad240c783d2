"""Two people of one organisation, a citizen, and two kinds of message of a made-up province."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_django import Settings

from tanpuhui.foundation.identity.operations import (
    OrganisationKind,
    add_member,
    register_citizen,
    register_organisation,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.rulebook.operations import load_jurisdiction

AREA = "990000"
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
TASK = """
kind: task
label_zh: 事项
label_en: Matters
audience: organisations
mail: on_request
sms: never
valid_from: "2020-01-01"
messages:
  - key: thing.waiting
    fields: [thing_id, name]
    link: "/w/things/{thing_id}"
    title: {zh: "等您办理：{name}", en: "Waiting for you: {name}"}
    body: {zh: "{name}轮到您了。", en: "It is your turn with {name}."}
"""
NEWS = """
kind: news
label_zh: 消息
label_en: News
audience: everybody
mail: unless_declined
sms: unless_declined
valid_from: "2020-01-01"
messages:
  - key: thing.done
    fields: [thing_id, name]
    link: "/w/things/{thing_id}"
    title: {zh: "{name}办好了", en: "{name} is done"}
    body: {zh: "{name}已经办好。", en: "{name} has been dealt with."}
    sms: {zh: "{name}已经办好。"}
"""
DATA = {"thing_id": 7, "name": "一件事"}


@dataclass(frozen=True, kw_only=True)
class Office:
    """Who is there, when, and where the wordings stand."""

    at: datetime
    folder: Path
    wang: int
    li: int
    citizen: int

    def actor(self, user_id: int) -> Actor:
        return Actor(kind="user", id=str(user_id))


@pytest.fixture
def office(
    db: None, settings: Settings, tmp_path: Path, invented_jurisdiction: Path, now: datetime
) -> Office:
    settings.TANPUHUI_DATA_DIR = tmp_path / "data"
    settings.TANPUHUI_MAIL = LOCMEM
    settings.TANPUHUI_SMS = "file"
    folder = tmp_path / "made-up"
    (folder / "messages").mkdir(parents=True)
    (folder / "messages" / "task.yaml").write_text(TASK, encoding="utf-8")
    (folder / "messages" / "news.yaml").write_text(NEWS, encoding="utf-8")
    (folder / "jurisdiction.yaml").write_bytes((invented_jurisdiction / "jurisdiction.yaml").read_bytes())
    settings.TANPUHUI_JURISDICTION_DIR = folder
    load_jurisdiction(actor=SYSTEM, at=now, folder=invented_jurisdiction)  # what a password must be
    load_templates(actor=SYSTEM, at=now, folder=folder)
    organisation_id = register_organisation(
        actor=SYSTEM, at=now, kind=OrganisationKind.CENTRE, name="中心", name_en="Centre",
        uscc=complete_uscc("91990000", "MA000200"), area=AREA,
    ).organisation_id  # fmt: skip
    members = [
        add_member(
            actor=SYSTEM, at=now, organisation_id=organisation_id, username=name, display_name=name.title(),
            password=SecretStr("a long pass phrase 1"), role=Role.MAKER, area=AREA,
        ).user_id
        for name in ("wang", "li")
    ]  # fmt: skip
    citizen = register_citizen(
        actor=SYSTEM, at=now, phone="13900000001", display_name="乘客", area=AREA
    ).user_id
    return Office(at=now, folder=folder, wang=members[0], li=members[1], citizen=citizen)
