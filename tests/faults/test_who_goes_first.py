"""A long queue of files delays neither the recovery of lost work nor the public log."""

from __future__ import annotations

from tanpuhui.foundation.persistence.jobs import app


def test_lost_work_is_put_back_first_then_the_log_is_ordered_then_files_are_posted() -> None:
    app.perform_import_paths()
    order = ("persistence.retry_stalled_jobs", "transparency.sequence_leaves", "activity.post_batch")
    priorities = [app.tasks[name].priority for name in order]
    assert priorities == sorted(set(priorities), reverse=True)
