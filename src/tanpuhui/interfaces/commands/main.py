"""The `tanpuhui` entry point: one table of commands, each imported only when it is called.

`verify` and `methodology` never meet Django. A command module has `main(arguments) -> int` and a docstring whose first line says what
it does, in Chinese and English.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path

_ROOM = "tanpuhui.interfaces.commands"


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command lives, and whether settings and apps are loaded before it is imported."""

    module: str
    django: bool = True


COMMANDS: dict[str, Command] = {
    "verify": Command(f"{_ROOM}.verify", django=False),
    "verify-archive": Command(f"{_ROOM}.verify_archive", django=False),
    "methodology": Command(f"{_ROOM}.methodology", django=False),
    "demo": Command(f"{_ROOM}.demo"),
    "appoint": Command(f"{_ROOM}.appoint"),
    "load-jurisdiction": Command(f"{_ROOM}.load_jurisdiction"),
    "migrate": Command(f"{_ROOM}.migrate"),
    "worker": Command(f"{_ROOM}.worker"),
    "watch-folder": Command(f"{_ROOM}.watch_folder"),
    "invariants": Command(f"{_ROOM}.invariants"),
    "recalculate": Command(f"{_ROOM}.recalculate"),
    "export-records": Command(f"{_ROOM}.export_records"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status; 2 when there is no such command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal in another encoding shows a question mark for a sign it lacks; the verdict must still come out.
            stream.reconfigure(errors="replace")
    arguments = sys.argv[1:] if argv is None else argv
    name = arguments[0] if arguments else ""
    command = COMMANDS.get(name)
    if command is None or importlib.util.find_spec(command.module) is None:
        asked_for_help = name in {"", "-h", "--help"}
        if not asked_for_help:
            print(f"没有 {name} 这个命令。/ There is no command {name}.", file=sys.stderr)
        print(_listing(), file=sys.stdout if asked_for_help else sys.stderr)
        return 0 if name in {"-h", "--help"} else 2
    if command.django:
        _load_django()
    return int(importlib.import_module(command.module).main(arguments[1:]))


def _load_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tanpuhui.config.settings.demo")
    import django

    django.setup()


def _listing() -> str:
    lines = ["tanpuhui <命令 command> …", ""]
    for name, command in sorted(COMMANDS.items()):
        spec = importlib.util.find_spec(command.module)
        if spec is not None and spec.origin is not None:
            # Read, not imported: the list must not need what the commands need.
            said = ast.get_docstring(ast.parse(Path(spec.origin).read_text("utf-8"))) or ""
            lines.append(f"  {name:<18}{said.partition(chr(10))[0]}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
