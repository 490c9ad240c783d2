"""`tanpuhui worker`: 后台任务 / run deferred jobs until stopped."""

from __future__ import annotations

import os
from collections.abc import Sequence

from django.core.management import call_command

NICENESS = 10
"""Files can wait a moment for the processor, people who look at their account cannot (benchmarks/reads.py)."""


def main(arguments: Sequence[str]) -> int:
    """Run jobs (arguments go to procrastinate's worker, for example --one-shot); return 0 when stopped."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    call_command("procrastinate", "worker", "--delete-jobs", "successful", *arguments)
    return 0
