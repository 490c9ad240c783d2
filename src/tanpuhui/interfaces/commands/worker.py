"""`tanpuhui worker`: 后台任务 / run deferred jobs until stopped."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.management import call_command


def main(arguments: Sequence[str]) -> int:
    """Run jobs (arguments go to procrastinate's worker, for example --one-shot); return 0 when stopped."""
    call_command("procrastinate", "worker", "--delete-jobs", "successful", *arguments)
    return 0
