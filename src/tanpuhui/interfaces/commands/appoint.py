"""`tanpuhui appoint`: 设立运营中心并任命三员 / set up the centre and its three administrators, once.

The rules of the jurisdiction are loaded first. Each administrator's first password is made here, printed once and
kept nowhere. Exit status: 0 appointed, 2 refused; nothing was changed then but the loading of the rules.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from pydantic import SecretStr

from tanpuhui.foundation.identity.operations import (
    NewAdministrator,
    appoint_administrators,
    load_consent_texts,
    random_password,
)
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.rulebook.queries import jurisdiction

DONE, REFUSED = 0, 2
OFFICES = (
    ("system", "系统管理员 / system administrator"),
    ("security", "安全管理员 / security administrator"),
    ("audit", "审计管理员 / audit administrator"),
)


def main(arguments: Sequence[str]) -> int:
    """Appoint whom the arguments name and print how each signs in for the first time."""
    parser = argparse.ArgumentParser(prog="tanpuhui appoint", description=__doc__)
    parser.add_argument("--name", required=True, help="运营中心名称 / the centre's name in Chinese")
    parser.add_argument("--name-en", required=True, help="英文名称 / its name in English")
    parser.add_argument("--uscc", required=True, help="统一社会信用代码 / unified social credit code")
    for office, words in OFFICES:
        parser.add_argument(f"--{office}", required=True, nargs=2, metavar=("USERNAME", "NAME"), help=words)
    parser.add_argument("--lang", choices=["zh", "en"], default="zh")
    given = parser.parse_args(arguments)
    people = {
        office: NewAdministrator(
            username=getattr(given, office)[0],
            display_name=getattr(given, office)[1],
            password=SecretStr(random_password()),
        )
        for office, _ in OFFICES
    }
    at = timezone.now()
    try:
        folder = Path(settings.TANPUHUI_JURISDICTION_DIR)
        load_jurisdiction(actor=SYSTEM, at=at, folder=folder)
        # Without wordings nobody can be told anything, and what has to tell somebody is refused; nobody can consent either.
        load_templates(actor=SYSTEM, at=at, folder=folder)
        load_consent_texts(actor=SYSTEM, at=at, folder=folder)
        appoint_administrators(
            actor=SYSTEM,
            at=at,
            name=given.name,
            name_en=given.name_en,
            uscc=given.uscc,
            area=jurisdiction().area,
            system=people["system"],
            security=people["security"],
            audit=people["audit"],
        )
    except Refusal as refusal:
        print(refusal.message(given.lang), file=sys.stderr)
        return REFUSED
    for office, words in OFFICES:
        person = people[office]
        print(f"{words}\n    {person.username}    {person.password.get_secret_value()}")
    print(
        "以上密码只显示这一次，请分别交给本人，首次登录后更换。/ Shown this once: hand each to its person, who changes it."
    )
    return DONE
