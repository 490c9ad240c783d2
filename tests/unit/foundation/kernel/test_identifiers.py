from __future__ import annotations

import pytest

from tanpuhui.foundation.kernel.identifiers import check_character, check_digit, complete_uscc, is_uscc


def test_published_code_is_recognised() -> None:
    assert is_uscc("91110000600037341L")


@pytest.mark.parametrize(
    "code", ["91110000600037342L", "9111000060003734", "9111000060003734IL", "91110000600037341l", ""]
)
def test_mistyped_code_is_refused(code: str) -> None:
    assert not is_uscc(code)


@pytest.mark.parametrize("prefix", ["N2370100", "A1370100", "Y1370100"])
def test_codes_of_collectives_are_valid(prefix: str) -> None:
    assert is_uscc(complete_uscc(prefix, "MF123456"))


def test_check_character_follows_the_standard_example() -> None:
    # ISO 7064 gives for MOD 37-2 the example A999914123456 with check character N (ISBT 128).
    assert check_character("A999914123456") == "N"


def test_one_wrong_digit_or_a_swap_is_noticed() -> None:
    code = "73940281650"
    right = check_digit(code)
    for place in range(len(code)):
        wrong = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
        assert check_digit(wrong) != right
    swapped = code[1] + code[0] + code[2:]
    assert check_digit(swapped) != right
