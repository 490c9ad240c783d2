"""A sentence is whole or not sent; a channel is used when it is wanted; the waits grow and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tanpuhui.foundation.messages.domain import (
    ATTEMPTS_MAX,
    WAIT_MAX,
    MailAddressWrong,
    Offer,
    TemplateDataWrong,
    check_data,
    checked_address,
    fields_in,
    filled,
    goes_by,
    masked_address,
    next_attempt,
)

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def test_the_fields_of_a_text_are_its_plain_names() -> None:
    assert fields_in("办件 {number}（{state_zh}），{number}") == {"number", "state_zh"}
    assert fields_in("没有字段，{{括号}}照写") == set()


@pytest.mark.parametrize("text", ["{a.b}", "{a[0]}", "{a!r}", "{a:>9}", "{}", "{0}"])
def test_nothing_but_a_plain_name_stands_between_braces(text: str) -> None:
    with pytest.raises(ValueError, match="plain field"):
        fields_in(text)


def test_data_with_a_field_too_few_or_too_many_is_refused_by_name() -> None:
    with pytest.raises(TemplateDataWrong) as refused:
        check_data("case.waiting", ["number", "title"], {"number": 1, "extra": 2})
    assert refused.value.data == {"key": "case.waiting", "missing": "title", "unknown": "extra"}


def test_what_fills_a_text_is_not_read_as_a_text_itself() -> None:
    assert filled("{title}", {"title": "{number}"}) == "{number}"


@pytest.mark.parametrize(
    ("offer", "choice", "goes"),
    [
        (Offer.UNLESS_DECLINED, None, True),
        (Offer.UNLESS_DECLINED, False, False),
        (Offer.ON_REQUEST, None, False),
        (Offer.ON_REQUEST, True, True),
        (Offer.NEVER, True, False),
        (Offer.NEVER, None, False),
    ],
)
def test_a_channel_is_used_by_choice_else_by_the_rule_of_the_kind(
    offer: Offer, choice: bool | None, goes: bool
) -> None:
    assert goes_by(offer, choice=choice) is goes


def test_every_wait_is_longer_than_the_last_up_to_its_most() -> None:
    waits = [next_attempt(n, at=AT) - AT for n in range(1, ATTEMPTS_MAX + 1)]
    assert waits[:3] == [timedelta(minutes=1), timedelta(minutes=4), timedelta(minutes=16)]
    assert waits == sorted(waits)
    assert max(waits) == WAIT_MAX


@pytest.mark.parametrize("address", ["a@b.cn", "li.wei+tph@mail.example.com", "x_1@sub-domain.example"])
def test_an_ordinary_mail_address_is_taken_without_blank_edges(address: str) -> None:
    assert checked_address(f" {address} ") == address


@pytest.mark.parametrize(
    "address",
    ["", "a", "a@", "@b.cn", "a@b", "a b@c.cn", "a@b@c.cn", "a@b.cn\nBcc: x@y.cn", "a@b.cn,c@d.cn", "a@-b.cn", "a@b..cn",
     "“a”@b.cn", "a" * 250 + "@b.cn"],
)  # fmt: skip
def test_what_is_no_mail_address_is_refused(address: str) -> None:
    with pytest.raises(MailAddressWrong):
        checked_address(address)


def test_a_shown_address_gives_away_its_host_only() -> None:
    assert masked_address("li.wei@example.com") == "l***@example.com"
