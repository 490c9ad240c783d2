"""One's own password and sessions, and an administrator who looks after those of others, within reach and no further."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from tests.integration.interfaces.workbench.conftest import NOW, PASSWORD, Desk

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.identity.operations import (
    PasswordWrong,
    enrol_demonstration_totp,
    open_session,
    own,
    sign_in_with_password,
)
from tanpuhui.foundation.identity.queries.sessions import (
    SESSION_STAMP,
    open_sessions,
    sign_in_state,
)
from tanpuhui.foundation.identity.queries.sign_in import second_factors
from tanpuhui.foundation.kernel.actors import SYSTEM

NEW = "another-horse-battery-9"


def signed_in(desk: Desk, name: str) -> Client:
    """Sign in with a session that stands on record, as the page leaves it."""
    client = desk.client(name)
    user = desk.users[name]
    open_session(
        actor=own(user.id), at=NOW, user_id=user.id, session_key=client.session.session_key or "", way="totp",
        ip="192.0.2.7", device="Mozilla/5.0 (Windows NT 10.0) Chrome/140",
    )  # fmt: skip
    return client


def given(client: Client, address: str, reason: str = "本人到场核实", **more: str) -> str:
    """Send a form of the page, with the key that it carries, and return what is said then."""
    page = client.get(re.sub(r"/[a-z-]+$", "", address)).content.decode()
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert key is not None
    response = client.post(address, {"reason": reason, "idempotency_key": key[1], **more}, follow=True)
    return response.content.decode()


def test_a_password_is_changed_and_this_session_stays(desk: Desk) -> None:
    client, other = signed_in(desk, "maker"), signed_in(desk, "maker")
    old = PASSWORD.get_secret_value()
    wrong = client.post("/w/me/password", {"old": "no", "new": NEW, "again": NEW})
    assert "用户名或密码不对" in wrong.content.decode()
    assert NEW not in wrong.content.decode()
    done = client.post("/w/me/password", {"old": old, "new": NEW, "again": NEW}, follow=True)
    assert "密码已更换。已退出其他 1 个会话。" in done.content.decode()
    assert client.get("/w/me").status_code == 200
    assert other.get("/w/me").status_code == 302
    with pytest.raises(PasswordWrong):
        sign_in_with_password(username="maker", password=old, ip="192.0.2.1", at=NOW)


def test_my_sessions_are_listed_and_the_others_end(desk: Desk) -> None:
    client, other = signed_in(desk, "maker"), signed_in(desk, "maker")
    page = client.get("/w/me/sign-in").content.decode()
    assert page.count("Chrome Windows") == 2
    assert page.count("这一个") == 1
    assert "192.0.2.7" in page
    client.post("/w/me/sessions/end-others")
    assert client.get("/w/me").status_code == 200
    assert other.get("/w/me").status_code == 302


def test_changing_how_one_signs_in_takes_a_fresh_session(desk: Desk) -> None:
    client = signed_in(desk, "maker")
    session = client.session
    session[SESSION_STAMP] = {**session[SESSION_STAMP], "fresh_seconds": -1}
    session.save()
    for address in ("totp/new", "recovery-codes", "passkeys/new", "passkeys/1/remove"):
        refused = client.post(f"/w/me/sign-in/{address}")
        assert (refused.status_code, "SIGN_IN_NOT_FRESH" in refused.content.decode()) == (403, True), address
        assert 'name="next" value="/w/me/sign-in"' in refused.content.decode()
    assert client.post("/w/me/sign-in/passkeys/options").json()["code"] == "SIGN_IN_NOT_FRESH"


def test_the_security_administrator_looks_after_everybody(desk: Desk) -> None:
    security = signed_in(desk, "security_administrator")
    maker = desk.users["maker"]
    enrol_demonstration_totp(actor=SYSTEM, at=NOW, user_id=maker.id)
    signed_in(desk, "maker")
    for _ in range(5):
        with pytest.raises(PasswordWrong):
            sign_in_with_password(username="maker", password="wrong", ip="192.0.2.1", at=NOW)
    assert "已锁定" in security.get("/w/sign-ins?q=maker").content.decode()
    here = f"/w/sign-ins/{maker.id}"
    assert "锁定已解除" in given(security, f"{here}/unlock")
    assert not sign_in_state(maker.id, at=NOW).locked
    assert "会话已全部退出" in given(security, f"{here}/sessions")
    assert open_sessions([maker.id], at=NOW) == ()
    assert "第二步验证已重置" in given(security, f"{here}/second-factor")
    assert not second_factors(maker.id).any
    page = given(security, f"{here}/password")
    shown = re.search(r'id="temporary-password">([^<]+)<', page)
    assert shown is not None
    assert sign_in_with_password(username="maker", password=shown[1], ip="192.0.2.1", at=NOW) == maker
    assert shown[1] not in security.get(here).content.decode()
    who = str(desk.users["security_administrator"].id)
    done = set(AuditRecord.objects.filter(actor_id=who).values_list("operation", flat=True))
    assert done >= {"identity.unlock_sign_in", "identity.end_sessions", "identity.reset_second_factor"}


def test_without_a_reason_or_a_fresh_session_nothing_is_done(desk: Desk) -> None:
    security = signed_in(desk, "security_administrator")
    here = f"/w/sign-ins/{desk.users['maker'].id}"
    assert "请写明理由" in given(security, f"{here}/password", reason=" ")
    session = security.session
    session[SESSION_STAMP] = {**session[SESSION_STAMP], "fresh_seconds": -1}
    session.save()
    assert "SIGN_IN_NOT_FRESH" in given(security, f"{here}/password")
    assert not AuditRecord.objects.filter(operation="identity.record_temporary_password").exists()


def test_an_organisations_administrator_reaches_its_own_people_only(desk: Desk) -> None:
    client = signed_in(desk, "administrator")
    page = client.get("/w/sign-ins").content.decode()
    assert "partner" in page
    for name in ("other_partner", "maker", "merchant"):
        assert f'/w/sign-ins/{desk.users[name].id}"' not in page
        here = f"/w/sign-ins/{desk.users[name].id}"
        assert client.get(here).status_code == 404
        for act in ("unlock", "second-factor", "sessions", "password"):
            assert client.post(f"{here}/{act}", {"reason": "x", "idempotency_key": "k"}).status_code == 404
    given(client, f"/w/sign-ins/{desk.users['partner'].id}/password")
    assert sign_in_state(desk.users["partner"].id, at=NOW).password_is_temporary


def test_nobody_looks_after_themselves_here(desk: Desk) -> None:
    client = signed_in(desk, "administrator")
    page = client.get(f"/w/sign-ins/{desk.users['administrator'].id}").content.decode()
    assert "这是您自己" in page
    assert "idempotency_key" not in page[page.index("<main") :]
    refused = client.post(
        f"/w/sign-ins/{desk.users['administrator'].id}/second-factor", {"reason": "x", "idempotency_key": "k"}
    )
    assert refused.status_code == 403


@pytest.mark.parametrize("address", ["/w/sign-ins", "/w/me/sign-in", "/w/me/password", "/w/sign-ins/{maker}"])
def test_the_pages_speak_english(desk: Desk, address: str) -> None:
    signed_in(desk, "maker")
    client = desk.client("security_administrator", language="en")
    page = client.get(address.format(maker=desk.users["maker"].id)).content.decode()
    main = re.sub(r"<[^>]+>", " ", page[page.index("<main") : page.index("</main>")])
    assert not re.findall(r"[\u4e00-\u9fff]+", main)


def test_the_list_asks_few_questions(desk: Desk, django_assert_max_num_queries: object) -> None:
    client = signed_in(desk, "security_administrator")
    client.get("/w/sign-ins")
    with django_assert_max_num_queries(25):  # type: ignore[operator]
        client.get("/w/sign-ins")
