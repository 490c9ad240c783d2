"""The same files give the same bytes, and nothing else opens."""

from __future__ import annotations

import io
import zipfile

import pytest
from tests.unit.science.engine.made_up import LIBRARY, folder

from tanpuhui.science.engine import MethodologyError, archive, archive_sha256, load_version, open_archive


def test_the_archive_does_not_depend_on_the_order_of_the_files() -> None:
    files = folder(LIBRARY / "a01-bus/1.0")
    turned = dict(reversed(list(files.items())))
    assert archive(files) == archive(turned)
    assert open_archive(archive(files)) == files
    assert load_version(files).archive_sha256 == archive_sha256(turned)


def test_the_bytes_of_an_archive_never_change() -> None:
    assert archive_sha256({"a.yaml": b"a: 1\n", "b/c.txt": "里程".encode()}) == GOLDEN


GOLDEN = "6119c710bfe6f1400e7252db515fc265614b7a12668335045f9fe6f4ce3a628b"


def test_a_changed_archive_does_not_open() -> None:
    content = archive({"a.yaml": b"a: 1\n"})
    for at in range(0, len(content), 7):
        broken = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        with pytest.raises(MethodologyError):
            assert open_archive(broken) == {"a.yaml": b"a: 1\n"}


def test_a_compressed_bomb_does_not_open() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("methodology.yaml", b"0" * 50_000_000)
    with pytest.raises(MethodologyError) as refused:
        open_archive(buffer.getvalue())
    assert refused.value.problem == "NOT_AN_ARCHIVE"


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../b", "a\\b", "", "a/b/c/d", ".hidden", "x" * 70]
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(MethodologyError):
        archive({path: b""})
