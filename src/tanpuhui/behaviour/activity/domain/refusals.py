"""Named refusals of intake (数据接入的拒绝)."""

from __future__ import annotations

from typing import ClassVar

from tanpuhui.foundation.kernel.errors import Refusal


class BatchNotFound(Refusal):
    """There is no such batch."""

    code = "BATCH_NOT_FOUND"
    zh = "没有找到批次 {batch_id}。请核对批次号。"
    en = "No such batch: {batch_id}. Please check the number."


class NothingToCorrect(Refusal):
    """The batch that a file is to correct is not the partner's, or none of its rows is open."""

    code = "NOTHING_TO_CORRECT"
    zh = "批次 {batch_id} 不是本机构的，或还没有结论，或没有待更正的行，所以不能更正它。请核对批次号。"
    en = (
        "Batch {batch_id} is not this partner's, has no outcome yet, or has no row that is open, so no file can "
        "correct it. Please check the number."
    )


class RowsStillOpen(Refusal):
    """Rows of the batch that were to be corrected have not been made good."""

    code = "ROWS_STILL_OPEN"
    zh = "批次 {batch_id} 还有 {rows} 行没有更正，不能因已更正而办结。请发送更正文件，或由经办岗核对后办结。"
    en = (
        "{rows} rows of batch {batch_id} have not been made good, so the case does not close by itself. "
        "Send the corrected rows, or have the maker check and close it."
    )


class HeldNotFound(Refusal):
    """There are no such held rows."""

    code = "HELD_NOT_FOUND"
    zh = "没有找到待复核的记录组 {waiting_id}。请回到列表重新打开。"
    en = "No such set of held records: {waiting_id}. Go back to the list and open it again."


class HeldDecided(Refusal):
    """Somebody has decided about these held rows already."""

    code = "HELD_DECIDED"
    zh = "记录组 {waiting_id} 已经有人复核过，决定不能改。本人有异议可以申诉。"
    en = "Somebody decided about set {waiting_id} already, and that stands. The person can appeal."


class QuotaExceeded(Refusal):
    """The partner used up what its quota gives for this minute or this day."""

    code = "QUOTA_EXCEEDED"
    zh = "超过了配额：{what} {limit}。请等 {retry_after_s} 秒再发，或联系运营机构调整配额。"
    en = "The quota is used up: {what} {limit}. Wait {retry_after_s} seconds, or ask the operator for another quota."
    retryable = True


class RecordNotFound(Refusal):
    """The posting holds no such record of that account."""

    code = "RECORD_NOT_FOUND"
    zh = "没有找到这条记录（入账 {posting_id}，第 {row} 行）。"
    en = "No such record (posting {posting_id}, row {row})."


class RecordNotPushed(Refusal):
    """The partner pushed no such record of that day."""

    code = "RECORD_NOT_PUSHED"
    zh = "没有收到过 {day} 的记录 {record_id}。请核对编号和日期，或重新推送。"
    en = "No record {record_id} of {day} was received. Check id and day, or push it again."


class AdapterUnknown(Refusal):
    """No adapter of that name reads files."""

    code = "ADAPTER_UNKNOWN"
    zh = "没有名为 {adapter} 的文件格式。可用：{known}。"
    en = "No file format is called {adapter}. Known: {known}."


class FeedClosed(Refusal):
    """The partner has no open feed that uses this adapter."""

    code = "FEED_CLOSED"
    zh = "机构 {partner_id} 没有开通格式为 {adapter} 的数据接入。请联系运营机构。"
    en = "Partner {partner_id} has no open feed with the format {adapter}. Contact the operator."


class BatchNotSettled(Refusal):
    """The batch has no report yet, so nobody can say what is wrong with it."""

    code = "BATCH_NOT_SETTLED"
    zh = "批次 {batch_id} 还在入账，没有逐行结论。请在结论出来以后再要求更正。"
    en = "Batch {batch_id} is still being posted and has no report. Ask for a correction when it has."
    retryable = True


class NothingToMend(Refusal):
    """No row of the batch can be corrected by its sender."""

    code = "NOTHING_TO_MEND"
    zh = "批次 {batch_id} 没有可以由数据伙伴更正的行：没有计入的行缺少的是授权、绑定或规则，或者已经过期、重复。"
    en = (
        "No row of batch {batch_id} can be corrected by its sender: what was not counted lacks consent, binding or a "
        "rule, or came too late, or twice."
    )


class NothingResent(Refusal):
    """The partner says that corrected rows were sent, but no file came since the correction was asked for."""

    code = "NOTHING_RESENT"
    zh = "自 {since} 要求更正以来，还没有收到新的文件。请先上传更正后的行；不再报送的，请选择声明。"
    en = (
        "No file has come since the correction was asked for on {since}. Send the corrected rows first; "
        "if nothing more comes, declare so."
    )


_FAULTS: dict[str, tuple[str, str]] = {
    "EMPTY_FILE": ("文件里没有任何记录。", "The file holds no record."),
    "BAD_ENCODING": (
        "文件不是 UTF-8 编码（第 {at} 个字节）。请转成 UTF-8 后重发。",
        "The file is not UTF-8 (byte {at}). Convert it to UTF-8 and resend.",
    ),
    "NOT_GB18030": (
        "文件不是 GB18030 编码（第 {at} 个字节）。请按字段映射约定的编码重发。",
        "The file is not GB18030 (byte {at}). Resend it in the encoding of the field mapping.",
    ),
    "BAD_COMPRESSION": (
        "压缩文件损坏或不完整。请重新压缩后重发。",
        "The compressed file is damaged or cut off. Compress it again and resend.",
    ),
    "FILE_TOO_LARGE": (
        "文件超过 {at} 字节的上限。请分成几个文件。",
        "The file is larger than {at} bytes. Split it.",
    ),
    "MISSING_COLUMN": ("缺少列：{at}。请补上表头后重发。", "Columns are missing: {at}. Add them and resend."),
    "DUPLICATE_COLUMN": (
        "列名重复：{at}。请改正表头后重发。",
        "A column stands twice: {at}. Correct the header and resend.",
    ),
    "BAD_PARQUET": (
        "这不是完整的 Parquet 文件。请重新导出后重发。",
        "This is no complete Parquet file. Export it again and resend.",
    ),
    "FLOAT_COLUMN": (
        "列 {at} 是二进制浮点数，不能还原出准确的十进制数。请改用小数（decimal）或文本类型。",
        "Column {at} holds binary floats, from which the exact decimal cannot be had. Use a decimal or text type.",
    ),
    "COLUMN_TYPE": (
        "列 {at} 的类型不能读作一个值。请改用文本、整数、小数或时间类型。",
        "Column {at} has a type that is no single value. Use text, whole numbers, decimals or times.",
    ),
    "ZIP_MEMBERS": (
        "压缩包里有 {at} 个文件，应当恰好一个。请每个文件单独压缩后重发。",
        "The zip holds {at} files; it must hold exactly one. Compress each file alone and resend.",
    ),
    "ZIP_PARQUET": (
        "压缩包里是 Parquet 文件。Parquet 自带压缩，请直接发送。",
        "The zip holds a Parquet file. Parquet is compressed by itself; send it as it is.",
    ),
    "ZIP_ENCRYPTED": (
        "压缩包设了密码。请去掉密码后重发，传输本身已加密。",
        "The zip has a password. Resend it without one; the transport is encrypted already.",
    ),
    "WORKBOOK_UNREADABLE": (
        "Excel 文件损坏或读不懂。请另存为 .xlsx 后重发。",
        "The Excel file is damaged or cannot be read. Save it again as .xlsx and resend.",
    ),
    "WORKBOOK_SHEETS": (
        "Excel 文件有不止一张有内容的工作表：{at}。请只留一张后重发。",
        "More than one sheet of the workbook is filled: {at}. Leave one and resend.",
    ),
    "HEADER_UNREADABLE": ("表头读不懂。请检查第一行。", "The header cannot be read. Check the first line."),
}


class FileUnusable(Refusal):
    """Nothing of the file can be read; the batch ends as refused, with the place of the fault."""

    code = "FILE_UNUSABLE"
    zh = "文件不能使用（{fault}）：{zh}"
    en = "The file cannot be used ({fault}): {en}"
    faults: ClassVar[dict[str, tuple[str, str]]] = _FAULTS

    def __init__(self, *, fault: str, at: object = "") -> None:
        zh, en = _FAULTS[fault]
        self.fault = fault
        self.at = str(at)
        super().__init__(fault=fault, at=at, zh=zh.format(at=at), en=en.format(at=at))
