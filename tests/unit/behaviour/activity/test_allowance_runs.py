"""Runs of used allowances: sums stay right however runs are merged."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.behaviour.activity.operations._post_batch._allowance import Run, merged

USES = st.dictionaries(st.integers(1, 30), st.integers(-5, 10**12), max_size=20)


def run_of(uses: dict[int, int]) -> Run:
    return Run(accounts=np.array(list(uses), np.int64), micro=np.array(list(uses.values()), np.int64))


@given(st.lists(USES, min_size=1, max_size=5))
def test_a_merged_run_holds_each_account_once_with_the_sum_of_its_uses(uses: list[dict[int, int]]) -> None:
    found = merged([run_of(one) for one in uses])
    expected: dict[int, int] = {}
    for one in uses:
        for account, micro in one.items():
            expected[account] = expected.get(account, 0) + micro
    assert found.accounts.tolist() == sorted(expected)
    assert found.micro.tolist() == [expected[account] for account in sorted(expected)]
