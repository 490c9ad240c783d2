"""The library shows what runs: formulas of the loaded tree, values with their source, and what nobody has decided."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests.integration.interfaces.portal.test_pages import text_of

from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.interfaces.portal.views.methodologies import symbols_markup
from tanpuhui.science.methodology.models import MethodologyVersion
from tanpuhui.science.methodology.operations import import_version

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "methodologies" / "a03-bike" / "1.0"
DEMONSTRATION = ROOT / "jurisdictions" / "shandong" / "parameter_sets" / "demonstration.yaml"
PAGE = "/methodologies/A03/1.0"


@pytest.fixture
def version_id(db: None, own_folder: Path, now: datetime) -> int:
    files = {str(path.relative_to(FOLDER)): path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}
    values = DEMONSTRATION.read_bytes()
    return import_version(actor=SYSTEM, at=now, files=files, parameter_set=values).version_id


def test_a_version_shows_formulas_values_and_sources(
    version_id: int, client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        text = text_of(client.get(PAGE))
    assert "BE = d × EFB" in text
    assert "减排量 = 基准排放 − 实际排放" in text
    assert re.search(r"基准因子\s*EFB\s*0\.104\s*kg CO2/\(人\s*km\)\s*M\s*DB11/T 3043", text)
    assert "京津冀取值，不是山东本地值" in text
    assert "演示，不用于正式核算" in text
    assert "草案，不能核算" in text


def test_a_value_that_nobody_decided_is_unset_and_says_what_it_blocks(
    version_id: int, client: Client, english: Client
) -> None:
    assert "未设值，不能核算：电单车。由主管方确定。" in text_of(client.get(PAGE))
    assert "Unset; cannot calculate: E-bike." in text_of(english.get(PAGE))


def test_the_english_page_is_english_throughout(version_id: int, english: Client) -> None:
    text = text_of(english.get(PAGE)).replace("中文", "")
    assert re.findall(r"[\u4e00-\u9fff]+", text.replace("平台规则（工程建议，待主管方确认）", "")) == []


def test_the_download_is_the_bytes_that_the_page_names(version_id: int, client: Client) -> None:
    page = client.get(PAGE).content.decode()
    address = re.search(r'href="(/methodologies/[^"]+/archive/([0-9a-f]{64}))"', page)
    assert address is not None
    response = client.get(address[1])
    assert hashlib.sha256(response.content).hexdigest() == address[2]
    assert client.get(address[1][:-4] + "0000").status_code == 404


def test_changed_bytes_are_refused_and_not_shown(version_id: int, client: Client) -> None:
    from tests.integration.interfaces.conftest import damage

    damage("update methodology_methodologyversion set archive = archive || '\\x00'")
    address = MethodologyVersion.objects.get(pk=version_id).archive_sha256
    assert "ARCHIVE_CHANGED" in text_of(client.get(f"{PAGE}/archive/{address}"))


@pytest.mark.parametrize("address", ["/methodologies/A03/9.9", "/methodologies/Z99/1.0"])
def test_an_unknown_version_is_not_there(address: str, version_id: int, client: Client) -> None:
    assert client.get(address).status_code == 404


def test_symbols_are_set_as_mathematics_and_words_are_not() -> None:
    known = frozenset({"d", "EF_B"})
    assert (
        symbols_markup("min(d × EF_B, 2 km) <b>", known)
        == "min(<i>d</i> × <i>EF</i><sub>B</sub>, 2 km) &lt;b&gt;"
    )
