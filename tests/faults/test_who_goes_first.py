"""A long queue of files delays neither the recovery of lost work nor the public log."""

from __future__ import annotations

from itertools import pairwise

import pytest
from croniter import croniter

from tanpuhui.foundation.persistence.jobs import app


def test_lost_work_is_put_back_first_then_the_log_is_ordered_then_files_are_posted() -> None:
    app.perform_import_paths()
    order = ("persistence.retry_stalled_jobs", "transparency.sequence_leaves", "activity.post_batch")
    priorities = [app.tasks[name].priority for name in order]
    assert priorities == sorted(set(priorities), reverse=True)


@pytest.mark.parametrize(
    ("name", "seconds"), [("persistence.retry_stalled_jobs", 10), ("transparency.sequence_leaves", 1)]
)
def test_the_clocks_of_recovery_and_log_run_evenly(name: str, seconds: int) -> None:
    app.perform_import_paths()
    (cron,) = [one.cron for one in app.periodic_registry.periodic_tasks.values() if one.task.name == name]
    clock = croniter(cron, start_time=1_795_339_500)
    moments = [clock.get_next(float) for _ in range(200)]
    assert {later - earlier for earlier, later in pairwise(moments)} == {seconds}
