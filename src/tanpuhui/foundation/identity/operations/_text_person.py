from __future__ import annotations

from datetime import datetime

from tanpuhui.foundation.identity.adapters.sms import sms_port
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.queries import PHONE_CONTEXT
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.keys.queries import unseal
from tanpuhui.foundation.rulebook.queries import jurisdiction


def text_person(*, user_id: int, text: str, at: datetime) -> None:
    """Send a text message to a person, under the scheme's name; the number never leaves this room.

    Changes nothing and is no operation: who sends keeps what became of it. Raises NotFound where there is no phone,
    SmsNotConfigured, and what the gateway raises.
    """
    row = User.objects.filter(id=user_id, is_active=True, phone_sealed__isnull=False).first()
    if row is None:
        raise NotFound(what="手机号 / phone", id=user_id)
    phone = unseal(bytes(row.phone_sealed or b""), context=PHONE_CONTEXT)
    sms_port().send(phone=phone, text=f"【{jurisdiction().scheme_zh}】{text}", at=at)
