"""The words of the command line (命令行), with help that is its documentation."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

DESCRIPTION = """\
不用数据库、不联网，在自己的电脑上核对方法学。
Work with methodology versions on a laptop: no database, no network.

FOLDER 是方法学版本的文件夹（内有 methodology.yaml），或平台“下载为一个文件”得到的归档。
FOLDER is the folder of a version (it holds methodology.yaml) or the archive that the platform lets you download.
"""
CHECK = """\
载入每个版本，逐个核对算例和独立查询，并列出未定的参数各挡住什么。
Load every version, run its worked cases and their independent queries, and list what each unset parameter blocks.

退出码 exit status: 0 全部通过 all passed · 1 算例不符 a case fails · 2 文件夹有误 a folder is faulty
"""
RUN = """\
逐行计算一个文件，写出克数、余数、算法，或不计入的原因。
Calculate a file row by row: grams, remainder and calculation, or the reason why a row does not count.

输入 input    .csv .ndjson .jsonl（均可 gzip）.parquet .xlsx
输出 output   .csv .ndjson .jsonl .parquet .xlsx

列按名称查找：字段代码（distance_km），或它的中文名、英文名。坏行按行号和原因列出，好行照算。
行号与编辑器、电子表格里看到的一样（表头是第 1 行）；Parquet 从 1 数起。
Columns are found by name: a field's code (distance_km), or its Chinese or English name. Bad rows are listed with
number and reason, good ones are calculated. Rows are numbered as in an editor or spreadsheet (the header is row 1);
those of Parquet from 1.

输出的列 columns of the output
  row_number, [--keep …], 方法学的字段 the fields as read, variant, grams, remainder_g, reason, [reason_text]

上限（如每日次数）和互斥在入账时判定，不在这里：这里的克数是封顶之前、互斥之前的。
A cap (such as trips per day) and exclusions are judged by the posting and not here: these grams are before both.

数字一律十进制。Excel 和 Parquet 里的双精度数取能还原它的最短十进制写法。
Numbers are decimal throughout; a double in Excel or Parquet is taken by its shortest decimal that gives it back.

退出码 exit status: 0 已写出 written · 1 版本不能计算 the version cannot calculate · 2 输入不可用 unusable input
"""
RUN_EXAMPLE = """\
例 example:
  tanpuhui methodology run methodologies/a03-bike/1.0 rides.csv -o grams.parquet \\
      --parameters parameter-set.yaml --keep record_id --reasons zh
"""
EXPLAIN = """\
解释一行：每一步的数字、公式、来源、条款。行号与 run 的相同。
Explain one row: numbers, formula, source and clause of every step. Rows are numbered as in `run`.

退出码 exit status: 0 计入 it counts · 1 不计入或不能计算 it does not count, or nothing can calculate · 2 输入不可用 unusable input
"""
DIFF = """\
对照两个版本：增、删、改了什么，哪些可能改变结果。
Compare two versions: what was added, removed or changed, and which of it can change a result.

退出码 exit status: 0 没有差别 no difference · 1 有差别 they differ · 2 文件夹有误 a folder is faulty
"""
_SIZE = re.compile(r"([1-9][0-9]{0,5})(MB|GB)\Z")
_BYTES = {"MB": 1_000_000, "GB": 1_000_000_000}
MEMORY_MIN = 100_000_000
FOLDER = "版本文件夹或归档 / folder or archive of a version"
PARAMETERS = "参数集文件：给未定的参数取值 / parameter set that gives values to unset parameters"


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the arguments; argparse ends the process with status 2 and says why when they are wrong."""
    parser = argparse.ArgumentParser(
        prog="tanpuhui methodology",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="check|run|explain|diff")
    _check(_verb(verbs, "check", CHECK))
    _run(_verb(verbs, "run", RUN, RUN_EXAMPLE))
    _explain(_verb(verbs, "explain", EXPLAIN))
    _diff(_verb(verbs, "diff", DIFF))
    return parser.parse_args(argv)


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, description: str, epilog: str = ""
) -> argparse.ArgumentParser:
    lines = description.splitlines()
    parser = verbs.add_parser(
        name,
        help=f"{lines[0]} / {lines[1]}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--lang", choices=["zh", "en"], default="zh", help="报告的语言 / language of the report"
    )
    return parser


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="+", help=FOLDER)
    parser.add_argument("--parameters", type=Path, help=PARAMETERS)


def _run(parser: argparse.ArgumentParser) -> None:
    _record(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, help="写到哪里 / where to write")
    parser.add_argument("--force", action="store_true", help="输出文件已有时覆盖 / overwrite the output")
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="COLUMN",
        help="把输入的这一列照抄到输出，可多次 / copy this column of the input; repeatable",
    )
    parser.add_argument(
        "--reasons",
        choices=["zh", "en"],
        help="加一列写给人看的原因 / add a column with the reason as a sentence",
    )
    parser.add_argument(
        "--summary", type=Path, metavar="FILE.json", help="把小结另存为 JSON / save the summary"
    )
    parser.add_argument(
        "--memory",
        type=size_in_bytes,
        default="1GB",
        metavar="1GB",
        help="计算引擎的内存上限，超出的写到输出旁的临时文件夹 / memory limit of the table engine; what exceeds it "
        "goes to a temporary folder beside the output (default: 1GB)",
    )


def _record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", type=Path, help=FOLDER)
    parser.add_argument("input", metavar="INPUT", type=Path, help="活动数据 / activity data")
    parser.add_argument("--parameters", type=Path, help=PARAMETERS)
    parser.add_argument(
        "--sheet", help="Excel 的工作表，缺省为第一张 / sheet of the workbook (default: the first)"
    )


def _explain(parser: argparse.ArgumentParser) -> None:
    _record(parser)
    parser.add_argument("--row", type=int, required=True, metavar="N", help="行号 / number of the row")
    parser.add_argument("--format", choices=["text", "json", "html"], default="text")


def _diff(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="OLD", type=Path, help=FOLDER)
    parser.add_argument("new", metavar="NEW", type=Path, help=FOLDER)
    parser.add_argument("--parameters", type=Path, help=f"{PARAMETERS}; 两个版本都用 for both")
    parser.add_argument("--format", choices=["text", "json"], default="text")


def size_in_bytes(text: str) -> int:
    """Read 512MB or 2GB; raises ArgumentTypeError for anything else, or for less than the engine needs."""
    match = _SIZE.match(text.upper())
    size = int(match[1]) * _BYTES[match[2]] if match else 0
    if size < MEMORY_MIN:
        message = f"{text}: 写成 512MB 或 2GB，至少 100MB / write 512MB or 2GB, at least 100MB"
        raise argparse.ArgumentTypeError(message)
    return size
