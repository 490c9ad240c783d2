"""The base of every named refusal (拒绝)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class Refusal(Exception):
    """Something was not done, for a reason with a stable name.

    A subclass gives `code` (stable, upper case), `zh` and `en` (what happened and what to do, with
    {placeholders} filled from the data), and says in `retryable` whether the same call can succeed later.
    """

    code: ClassVar[str] = "REFUSED"
    zh: ClassVar[str] = "没有办成。"
    en: ClassVar[str] = "This was not done."
    retryable: ClassVar[bool] = False

    def __init__(self, **data: object) -> None:
        self.data: Mapping[str, object] = data
        super().__init__(f"{self.code}: {self.message('en')}")

    def message(self, locale: str = "zh") -> str:
        """Return the sentence for a person, in Chinese unless English is asked for."""
        template = self.en if locale.startswith("en") else self.zh
        return template.format_map(_Present(self.data))

    def as_dict(self, locale: str = "zh") -> dict[str, object]:
        """Return code, message, data and retryable, as interfaces send them."""
        data = {name: str(value) for name, value in self.data.items()}
        return {"code": self.code, "message": self.message(locale), "data": data, "retryable": self.retryable}


class _Present(dict[str, object]):
    """A missing placeholder shows its own name, because a refusal must never fail while it speaks."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


class NotPermitted(Refusal):
    """The actor's roles do not allow this operation here."""

    code = "NOT_PERMITTED"
    zh = "你的角色不能做这件事（{operation}）。需要的话，请找本机构的管理员。"
    en = "Your role may not do this ({operation}). Ask your organisation's administrator if you need it."


class NotFound(Refusal):
    """There is no such thing, or the actor may not know of it."""

    code = "NOT_FOUND"
    zh = "没有找到{what}：{id}。请核对编号。"
    en = "No such {what}: {id}. Please check the number."


class Invalid(Refusal):
    """A value is outside what the rule allows."""

    code = "INVALID"
    zh = "{field} 的值不对：{why}。请改正后再提交。"
    en = "The value of {field} is not valid: {why}. Correct it and submit again."


class StorageFull(Refusal):
    """The disk of the server, or of its database, holds no more."""

    code = "STORAGE_FULL"
    zh = "服务器的存储空间已满，这一次没有写入任何内容。请稍后重发；请管理员腾出空间，之后一切照常继续。"
    en = "The server's storage is full, and nothing of this was written. Send it again later; once an administrator has made room, everything goes on."
    retryable = True
