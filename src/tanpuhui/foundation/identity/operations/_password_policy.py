"""Whether a password may be taken (口令规则): the rules of the day, and the list of common ones that Django carries."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from pydantic import SecretStr

from tanpuhui.foundation.identity.domain.sign_in import PASSWORD_CHARACTERS_MAX, check_password
from tanpuhui.foundation.identity.queries.sign_in import password_rules
from tanpuhui.foundation.kernel.errors import Invalid


def refuse_weak_password(password: SecretStr, *, at: datetime) -> None:
    """Raise PasswordTooShort, PasswordTooPlain, PasswordCommon, Invalid or ParameterUnset unless it may be taken."""
    text = password.get_secret_value()
    if len(text) > PASSWORD_CHARACTERS_MAX:
        raise Invalid(
            field="password",
            why=f"最多 {PASSWORD_CHARACTERS_MAX} 个字符 / at most {PASSWORD_CHARACTERS_MAX} characters",
        )
    check_password(text, rules=password_rules(at), common=_is_common(text))


def _is_common(text: str) -> bool:
    try:
        CommonPasswordValidator().validate(text)
    except ValidationError:
        return True
    return False
