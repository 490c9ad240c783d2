"""方法学：检查、计算、解释、对照，不用数据库。/ Methodologies: check, run, explain and compare them, without a database.

Exit status: 0 done, 1 refused (a case fails, nothing can calculate, the versions differ), 2 the input cannot be used.
"""

from __future__ import annotations

import importlib
import signal
import sys
from types import FrameType

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.commands.methodology.arguments import parse

UNUSABLE, INTERRUPTED = 2, 130


def main(argv: list[str]) -> int:
    """Run one of the four verbs and return its exit status; a refusal is told in Chinese and English."""
    options = parse(argv)
    # After the arguments: a question for help must not wait for the engine.
    from tanpuhui.interfaces.commands.methodology.folders import VersionFaulty
    from tanpuhui.interfaces.commands.methodology.sentences import show_refusal

    # Ended from outside, as by Ctrl-C: what lies beside the output is taken away.
    signal.signal(signal.SIGTERM, _interrupted)
    verb = importlib.import_module(f"{__name__}.{options.verb}")
    try:
        return int(verb.run(options))
    except VersionFaulty as faulty:
        show_refusal(faulty.refusal, folder=str(faulty.folder))
        return UNUSABLE
    except Refusal as refusal:
        show_refusal(refusal)
        return UNUSABLE
    except BrokenPipeError:
        # The reader of our output (`| head`) has enough; nothing more can be said to it.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("已中断。/ Interrupted.", file=sys.stderr)
        return INTERRUPTED


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
