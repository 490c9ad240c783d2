"""`make test`, `make check`, `make lint`, `make proof`, first half: prepares a fresh clone, then hands over."""

from __future__ import annotations

import sys

from tools.environment import DEVELOPMENT_LOCK
from tools.preparation import hand_over, prepare
from tools.sentences import SetupRefusal
from tools.working_copy import working_copy


def main() -> int:
    """Prepare, then become the judging half inside the environment."""
    copy = working_copy()
    try:
        prepare(copy, DEVELOPMENT_LOCK)
    except SetupRefusal as refusal:
        refusal.show()
        return 1
    except KeyboardInterrupt:
        return 130
    return hand_over(copy, "tools.gates", sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
