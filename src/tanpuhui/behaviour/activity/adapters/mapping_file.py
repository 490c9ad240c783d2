"""A field mapping as a document (字段映射文件): YAML read by the base loader, so that every value is text; docs/field-mapping.md."""

from __future__ import annotations

import re
from fractions import Fraction
from zoneinfo import ZoneInfo

from tanpuhui.behaviour.activity.adapters._port import ENVELOPE
from tanpuhui.behaviour.activity.domain.mappings import (
    FACTOR_MAX,
    BadPattern,
    Conversion,
    Encoding,
    FieldMapping,
    MappedField,
    MappingInvalid,
    TextStyle,
    TimeForm,
    moment_expression,
)
from tanpuhui.science.engine.bounded_yaml import Mapping, Scalar, read_yaml
from tanpuhui.science.engine.digits import MAX_PLACES
from tanpuhui.science.engine.errors import MethodologyError
from tanpuhui.science.engine.reader import Reader

FORMAT = "tanpuhui-field-mapping/1"
DOCUMENT_BYTES_MAX = 64 * 1024
FIELDS_MAX, COLUMNS_MAX, CODES_MAX, TEXT_MAX = 60, 4, 300, 200
ENCODINGS: dict[str, Encoding] = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "gb18030": "gb18030"}
DELIMITERS = {",": ",", ";": ";", "|": "|", "tab": "\t"}
NEEDED = ("record_id", "subject", "started_at")
MOMENTS = ("started_at", "ended_at")
PERSONAL = ("record_id", "subject")
"""One value for every row would make all of them one record, or one person's."""
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")
_OFFSET = re.compile(r"[+-](0[0-9]|1[0-4]):[0-5][0-9]\Z")


def read_mapping(document: str) -> FieldMapping:
    """Read a mapping. Raises MappingInvalid, which names the line and what is wrong with it."""
    try:
        return _read(document)
    except MethodologyError as error:
        raise MappingInvalid(
            line=error.line, zh=error.data["zh"], en=error.data["en"], caret=error.caret
        ) from error


def _read(document: str) -> FieldMapping:
    content = document.encode()
    if len(content) > DOCUMENT_BYTES_MAX:
        raise MappingInvalid(
            line=1,
            zh=f"文件超过 {DOCUMENT_BYTES_MAX // 1024} KiB。",
            en=f"The file exceeds {DOCUMENT_BYTES_MAX // 1024} KiB.",
        )
    reader = Reader.of(read_yaml(content, file="mapping.yaml"))
    reader.choice("format", (FORMAT,))
    style = _style(reader)
    entries = reader.value("fields")
    if not isinstance(entries, Mapping) or not entries.entries:
        reader.place("fields").refuse("SCHEMA", zh="缺少“fields”。", en="'fields' is missing.")
    if len(entries.entries) > FIELDS_MAX:
        entries.source.refuse(
            "SCHEMA", zh=f"字段超过 {FIELDS_MAX} 个。", en=f"There are more than {FIELDS_MAX} fields."
        )
    fields = []
    for code, value in entries.entries.items():
        if not _CODE.match(code):
            entries.keys[code].refuse(
                "SCHEMA", zh=f"“{code}”不是标准字段的代码。", en=f"'{code}' is no code of a standard field."
            )
        fields.append(_field(code, Reader.of(value)))
    reader.finish()
    for code in NEEDED:
        if code not in entries.entries:
            entries.source.refuse("SCHEMA", zh=f"没有写“{code}”从哪一列来。", en=f"'{code}' is not mapped.")
    return FieldMapping(style=style, fields=tuple(fields))


def _style(reader: Reader) -> TextStyle:
    value = reader.value("file")
    if value is None:
        return TextStyle()
    file = Reader.of(value)
    style = TextStyle(
        encoding=ENCODINGS[file.choice("encoding", tuple(ENCODINGS), default="utf-8")],
        delimiter=DELIMITERS[file.choice("delimiter", tuple(DELIMITERS), default=",")],
    )
    file.finish()
    return style


def _field(code: str, reader: Reader) -> MappedField:
    """Read one field: a constant alone, or columns with at most one of moment, unit and code list."""
    constant = reader.text("constant", default="", limit=TEXT_MAX)
    columns = _columns(reader)
    if bool(constant) == bool(columns):
        reader.source.refuse(
            "SCHEMA",
            zh=f"“{code}”要写 column、columns 或 constant 之一。",
            en=f"'{code}' has one of column, columns and constant.",
        )
    if constant and code in PERSONAL + MOMENTS:
        reader.place("constant").refuse(
            "SCHEMA",
            zh=f"“{code}”每一行都不同，不能写成常数。",
            en=f"'{code}' differs from row to row and is no constant.",
        )
    field = MappedField(
        code=code,
        columns=columns,
        joined_by=_joined_by(reader, columns),
        constant=constant,
        time=_time(code, reader),
        conversion=_conversion(code, reader),
        codes=_codes(reader),
    )
    ways = [name for name in ("time", "from_unit", "codes") if name in reader.mapping.entries]
    if len(ways) > 1 or (ways and constant):
        reader.place(ways[-1]).refuse(
            "SCHEMA",
            zh=f"“{code}”里 time、from_unit、codes 只能有一个，常数里都不能有。",
            en=f"'{code}' has only one of time, from_unit and codes, and none beside a constant.",
        )
    reader.finish()
    return field


def _columns(reader: Reader) -> tuple[str, ...]:
    one = reader.text("column", default="", limit=TEXT_MAX)
    several = reader.texts("columns") if reader.value("columns") is not None else ()
    if one and several:
        reader.place("columns").refuse(
            "SCHEMA", zh="column 和 columns 只能写一个。", en="There is either column or columns."
        )
    if several and not 2 <= len(several) <= COLUMNS_MAX:
        reader.place("columns").refuse(
            "SCHEMA", zh=f"columns 里写 2 到 {COLUMNS_MAX} 列。", en=f"columns names 2 to {COLUMNS_MAX}."
        )
    names = (one,) if one else tuple(several)
    for name in names:
        if not name.strip() or name != name.strip() or any(sign in name for sign in '",;|\t\n\0'):
            reader.place("columns" if several else "column").refuse(
                "SCHEMA", zh=f"列名“{name}”不能用。", en=f"The column name '{name}' cannot be used."
            )
    return names


def _joined_by(reader: Reader, columns: tuple[str, ...]) -> str:
    said = reader.text("joined_by", default="", limit=3)
    if said and len(columns) < 2:
        reader.place("joined_by").refuse(
            "SCHEMA", zh="joined_by 只用在 columns 后面。", en="joined_by stands beside columns only."
        )
    return said or " "


def _time(code: str, reader: Reader) -> TimeForm | None:
    if code not in MOMENTS:
        for name in ("time", "zone"):
            if name in reader.mapping.entries:
                reader.place(name).refuse(
                    "SCHEMA",
                    zh=f"“{code}”不是时间，不能写 {name}。",
                    en=f"'{code}' is no moment and has no {name}.",
                )
        return None
    source = reader.scalar("time")
    pattern, zone = source.text, reader.text("zone", default="", limit=60)
    if pattern in {"iso", "unix_s", "unix_ms"}:
        if zone:
            reader.place("zone").refuse(
                "SCHEMA",
                zh=f"{pattern} 本身带时区，不能再写 zone。",
                en=f"{pattern} says its zone itself; zone is not given.",
            )
        return TimeForm(pattern=pattern)
    try:
        moment_expression(pattern)
    except BadPattern as error:
        source.refuse(
            "SCHEMA",
            zh=f"时间写法“{pattern}”读不懂（{error}）：用 iso、unix_s、unix_ms，或由 %Y %m %d %H %M（%S）和符号组成，各用一次。",
            en=f"The form '{pattern}' cannot be read ({error}): iso, unix_s, unix_ms, or %Y %m %d %H %M (%S) once each, with signs between.",
        )
    if not zone or not _is_zone(zone):
        reader.place("zone").refuse(
            "SCHEMA",
            zh=f"“{code}”要写时区 zone，例如 Asia/Shanghai 或 +08:00。",
            en=f"'{code}' needs a zone such as Asia/Shanghai or +08:00.",
        )
    return TimeForm(pattern=pattern, zone=zone)


def _is_zone(name: str) -> bool:
    if _OFFSET.match(name):
        return True
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _conversion(code: str, reader: Reader) -> Conversion | None:
    given = [name for name in ("from_unit", "to_unit", "places") if name in reader.mapping.entries]
    if not given:
        return None
    if code in ENVELOPE:
        reader.place(given[0]).refuse(
            "SCHEMA", zh=f"“{code}”不是数，没有单位。", en=f"'{code}' is no number and has no unit."
        )
    before, after = reader.unit("from_unit"), reader.unit("to_unit")
    if before.dimension != after.dimension:
        reader.place("to_unit").refuse(
            "UNIT", zh=f"“{before}”不能换算成“{after}”。", en=f"'{before}' cannot be converted to '{after}'."
        )
    found = Conversion(
        from_unit=reader.text("from_unit"),
        to_unit=reader.text("to_unit"),
        places=reader.whole("places", limit=MAX_PLACES),
        factor=Fraction(before.factor / after.factor),
    )
    if max(found.steps[0], found.steps[1] // 10**12) > FACTOR_MAX:
        reader.place("to_unit").refuse(
            "UNIT", zh="这个换算的倍数太大，不能精确计算。", en="The factor is too large to be exact."
        )
    return found


def _codes(reader: Reader) -> tuple[tuple[str, str], ...]:
    value = reader.value("codes")
    if value is None:
        return ()
    if not isinstance(value, Mapping) or not 1 <= len(value.entries) <= CODES_MAX:
        value.source.refuse(
            "SCHEMA", zh=f"codes 里写 1 到 {CODES_MAX} 个“来源值: 标准值”。", en=f"codes lists 1 to {CODES_MAX} values."
        )  # fmt: skip
    found = []
    for code, ours in value.entries.items():
        if not isinstance(ours, Scalar) or not ours.text.strip() or not code.strip():
            ours.source.refuse(
                "SCHEMA", zh="代码表的两边都要有值。", en="Both sides of a code list have a value."
            )
        found.append((code.strip(), ours.text.strip()))
    return tuple(found)
