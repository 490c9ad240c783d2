"""Check characters of public identifiers."""

from __future__ import annotations

_MOD_37_2 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def check_character(text: str) -> str:
    """Return the check character of letters and digits after ISO 7064, MOD 37-2; other characters are passed over."""
    remainder = 0
    for character in text.upper():
        value = _MOD_37_2.find(character)
        if value >= 0 and character != "*":
            remainder = (remainder + value) * 2 % 37
    return _MOD_37_2[(38 - remainder) % 37]


def check_digit(digits: str) -> str:
    """Return the Luhn check digit of a run of digits (coupon codes, which people read aloud)."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        value = int(character) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def is_uscc(code: str) -> bool:
    """Say whether a unified social credit code (统一社会信用代码) is well formed, after GB 32100.

    Both checks are made: the whole code, and the organisation code in places 9 to 17. Codes of agricultural
    collectives and others that begin with N, A or Y are valid.
    """
    if len(code) != 18 or any(character not in _USCC for character in code):
        return False
    total = sum(_USCC.index(character) * pow(3, place, 31) for place, character in enumerate(code[:17]))
    if _USCC[(31 - total % 31) % 31] != code[17]:
        return False
    organisation = code[8:17]
    weighted = sum(
        _ORGANISATION.index(character) * weight
        for character, weight in zip(organisation[:8], _ORGANISATION_WEIGHTS, strict=True)
    )
    expected = (11 - weighted % 11) % 11
    return organisation[8] == ("X" if expected == 10 else str(expected))


def complete_uscc(first_eight: str, organisation_eight: str) -> str:
    """Return the 18 characters that begin with the given ones and carry the right checks (for made-up organisations)."""
    weighted = sum(
        _ORGANISATION.index(character) * weight
        for character, weight in zip(organisation_eight, _ORGANISATION_WEIGHTS, strict=True)
    )
    expected = (11 - weighted % 11) % 11
    stem = first_eight + organisation_eight + ("X" if expected == 10 else str(expected))
    total = sum(_USCC.index(character) * pow(3, place, 31) for place, character in enumerate(stem))
    return stem + _USCC[(31 - total % 31) % 31]
