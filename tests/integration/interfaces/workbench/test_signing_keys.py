"""A partner's administrator registers a public key, sees its id, and revokes it; nobody else's page opens."""

from __future__ import annotations

import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.integration.interfaces.api.test_signed_requests import pem
from tests.integration.interfaces.workbench.conftest import Desk

from tanpuhui.foundation.identity.queries import signing_keys


def test_a_key_is_registered_shown_and_revoked(desk: Desk) -> None:
    client = desk.client("administrator")
    page = f"/w/organisations/{desk.partner_id}/keys"
    first = client.get(page).content.decode()
    assert "还没有签名公钥" in first
    key = re.search(r'name="idempotency_key" value="([^"]+)"', first)
    assert key is not None
    public_key = pem(Ed25519PrivateKey.generate())
    given = {"signing-name": "生产", "signing-public_key": public_key, "idempotency_key": key[1]}
    wrong = client.post(page.replace("/keys", "/signing-keys"), given | {"signing-public_key": "nonsense"})
    assert (wrong.status_code, "不是 PEM 格式" in wrong.content.decode()) == (409, True)
    shown = client.post(page.replace("/keys", "/signing-keys"), given, follow=True).content.decode()
    (row,) = signing_keys(desk.partner_id)
    assert row.key_id in shown
    assert "接口密钥不再单独有效" in shown
    revoke = f"{page.replace('/keys', '/signing-keys')}/{row.id}/revoke"
    assert desk.client("maker").post(revoke).status_code == 403
    assert "公钥已停用" in client.post(revoke, {"idempotency_key": "r1"}, follow=True).content.decode()
