"""`tanpuhui appoint` sets a bare province up once, and the three can sign in with what it printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from tanpuhui.foundation.identity import queries
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.operations import sign_in_with_password
from tanpuhui.foundation.kernel.actors import SCHEME_ADMINISTRATORS
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.messages.queries import template_in_force
from tanpuhui.interfaces.commands import appoint

pytestmark = pytest.mark.django_db
ARGUMENTS = (
    "--name", "中心", "--name-en", "Centre", "--uscc", complete_uscc("12990000", "MB0D0001"),
    "--system", "one", "甲", "--security", "two", "乙", "--audit", "three", "丙",
)  # fmt: skip


@pytest.fixture(autouse=True)
def province(settings: Settings, invented_jurisdiction: Path, tmp_path: Path) -> None:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path


def test_the_three_are_appointed_and_sign_in_with_the_printed_passwords(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert appoint.main(ARGUMENTS) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("    ")]
    now, roles = timezone.now(), set()
    for username, password in lines:
        user = sign_in_with_password(username=username, password=password, ip="192.0.2.1", at=now)
        roles |= queries.actor_of(user_id=user.pk, at=now).roles
    assert roles == SCHEME_ADMINISTRATORS
    (centre,) = queries.organisations(kind="centre")
    assert centre.area == "990000"
    assert template_in_force("account.frozen", at=now).title_zh


def test_it_works_once_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert appoint.main(ARGUMENTS) == 0
    assert appoint.main((*ARGUMENTS, "--lang", "en")) == 2
    assert "have been appointed before" in capsys.readouterr().err
    assert User.objects.count() == 3


def test_a_wrong_credit_code_appoints_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [*ARGUMENTS]
    wrong[5] = "12990000MB0D000000"
    assert appoint.main(wrong) == 2
    assert "GB 32100" in capsys.readouterr().err
    assert not User.objects.exists()
