#!/bin/sh
# Prints a Python of 3.11 or newer: $PYTHON if set, else the first on the path; or says in one sentence that there is none.
if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- python3 python3.14 python3.13 python3.12 python3.11 python
fi
for name do
    found=$("$name" -c 'import sys; print(sys.executable if sys.version_info >= (3, 11) else "")' 2>/dev/null) || continue
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
        exit 0
    fi
done
echo "没有找到 Python 3.11 或更新的版本（找过：$*）：请安装后重试，或用 PYTHON=路径 指明。" >&2
echo "No Python 3.11 or newer was found (looked for: $*): install one, or name it with PYTHON=path." >&2
exit 1
