"""Data quality of a sample (数据质量): exact shares, a score by weights that are rules, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from tanpuhui.foundation.kernel.errors import Refusal

PERCENT = 100


class SampleVerdict(StrEnum):
    """What the rules say of a sample. Undecided: a rule is unset, so a person judges and says why."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"


class Measure(StrEnum):
    """The six measures that make the score; which of them weighs how much is a rule (quality.weight)."""

    READABLE = "readable"
    COMPLETE = "complete"
    VALID = "valid"
    UNIQUE = "unique"
    TIMELY = "timely"
    PLAUSIBLE = "plausible"


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """So many of so many; exact. Nothing of nothing is no share."""

    part: int
    whole: int

    @property
    def fraction(self) -> Fraction | None:
        """Return it as a fraction, None of nothing."""
        return Fraction(self.part, self.whole) if self.whole else None

    def percent_text(self) -> str:
        """Write it in per cent with two places, rounded down, so that 99.999 % never reads as all; a dash of nothing."""
        if not self.whole:
            return "—"
        hundredths = self.part * PERCENT * PERCENT // self.whole
        return f"{hundredths // PERCENT}.{hundredths % PERCENT:02d}%"


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnFound:
    """A column of the file: whether the application declares it, and whether intake reads it."""

    name: str
    declared: bool
    used: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldCompleteness:
    """How many rows have a value in a column."""

    field: str
    required: bool
    filled: Share


@dataclass(frozen=True, kw_only=True, slots=True)
class ReasonFound:
    """A reason and how many rows it met; the rows themselves are kept apart, for the retention time only."""

    code: str
    verdict: str
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeliness:
    """Whole minutes from the end of an activity to the file: nearest-rank median and 95th percentile, and the longest.

    `within` counts the rows inside the hours that the rule allows, None where it is unset.
    """

    median_minutes: int
    p95_minutes: int
    longest_minutes: int
    within: Share | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldPlausibility:
    """The numbers of one field against the methodology's range; decimals as text, in the field's unit.

    `outside` lie outside the range, `thousandfold` of them inside it once divided by 1,000 (a wrong unit), `extreme`
    lie beyond Tukey's outer fences: below Q1 − 3·IQR or above Q3 + 3·IQR (Tukey, Exploratory Data Analysis, 1977).
    """

    field: str
    unit: str
    low: str
    high: str
    values: int
    smallest: str
    median: str
    largest: str
    outside: int
    thousandfold: int
    extreme: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodingFound:
    """How the file is written; counts of rows by how they write the time zone."""

    file_format: str
    compressed: bool
    byte_order_mark: bool
    line_end: str
    zoned_rows: int
    unzoned_rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One figure in this sample and in the one before of the same definition, as text."""

    measure: str
    before: str
    now: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """One measure of the score: its share, and its weight by the rule (None: unset). `applies`: there is something to measure."""

    measure: str
    share: Share
    weight: int | None
    applies: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One condition of passing: the rule's value (None: unset) and whether it is met (None: cannot be said)."""

    code: str
    value: str | None
    met: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Precondition:
    """Something that the scheme itself still lacks for this scenario; no fault of the sample."""

    code: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionUsed:
    """A methodology version that calculated, and whether it is filed."""

    version_id: int
    code: str
    version: str
    filed: bool
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityReport:
    """What is known of a sample; kept when the file itself has been erased, so it holds counts and no row's values."""

    rows: int
    counted: int
    grams: int
    fault: str
    fault_at: str
    columns: tuple[ColumnFound, ...]
    completeness: tuple[FieldCompleteness, ...]
    reasons: tuple[ReasonFound, ...]
    timeliness: Timeliness | None
    plausibility: tuple[FieldPlausibility, ...]
    encoding: EncodingFound
    changes: tuple[Change, ...]
    versions: tuple[VersionUsed, ...]
    components: tuple[Component, ...]
    checks: tuple[Check, ...]
    preconditions: tuple[Precondition, ...]
    verdict: str

    @property
    def score(self) -> Fraction | None:
        """Return the weighted score between 0 and 1; None while a weight is unset or nothing can be weighed."""
        return score(self.components)


def score(components: Sequence[Component]) -> Fraction | None:
    """Return the weighted mean of the shares that apply, exactly; None while a weight is unset, or all are 0.

    A measure that applies but found nothing to count is 0: missing data never passes.
    """
    weighed = [one for one in components if one.applies]
    total, found = 0, Fraction(0)
    for one in weighed:
        if one.weight is None:
            return None
        total += one.weight
        found += one.weight * (one.share.fraction or Fraction(0))
    return found / total if total else None


def checks_of(
    *,
    rows: int,
    counted: int,
    valid: Share,
    components: Sequence[Component],
    undeclared: Sequence[str],
    fault: str,
    thresholds: Mapping[str, str | None],
) -> tuple[Check, ...]:
    """Return the conditions of passing. `thresholds`: rows_min, valid_share_min, score_min (exact text or None)."""
    reached = score(components)

    def at_least(code: str, found: Fraction | None) -> Check:
        value = thresholds[code]
        met = None if value is None or found is None else found >= Fraction(value)
        return Check(code=code, value=value, met=met)

    return (
        Check(code="usable", value="", met=not fault),
        Check(code="declared_only", value="", met=not undeclared),
        Check(code="calculated", value="", met=counted > 0),
        at_least("rows_min", Fraction(rows)),
        at_least("valid_share_min", valid.fraction if valid.whole else Fraction(0)),
        at_least("score_min", reached),
    )


def verdict_of(checks: Sequence[Check]) -> SampleVerdict:
    """Return failed where one condition is not met, undecided where one cannot be said, else passed."""
    if any(check.met is False for check in checks):
        return SampleVerdict.FAILED
    if any(check.met is None for check in checks):
        return SampleVerdict.UNDECIDED
    return SampleVerdict.PASSED


class SampleTooLarge(Refusal):
    """A sample is a part of the data, not all of it."""

    code = "SAMPLE_TOO_LARGE"
    zh = "样本超过 {most} 字节的上限。请截取一部分再上传，正式数据在上线后报送。"
    en = (
        "The sample is larger than {most} bytes. Upload a part of the data; all of it comes after going live."
    )


class SandboxClosed(Refusal):
    """The application is decided; samples are for those that are not."""

    code = "SANDBOX_CLOSED"
    zh = "申请已有结论，沙箱不再接收样本。"
    en = "The application has been decided; the sandbox takes no more samples."


class DefinitionIncomplete(Refusal):
    """A sample is tried against a definition, which is not there yet."""

    code = "FEED_DEFINITION_INCOMPLETE"
    zh = "还不能试送样本，申请中缺少：{zh}。"
    en = "No sample can be tried yet. The application lacks: {en}."


class SampleRowsGone(Refusal):
    """The rows of a sample are gone after its retention time."""

    code = "SAMPLE_ERASED"
    zh = "样本的原文件和逐行结果已按期限删除，只留质量报告。"
    en = "The file and the rows of this sample were erased after their retention time; only the report is kept."


class SampleNotPassed(Refusal):
    """No sample of the very feed definition passed, and nobody accepted one in writing."""

    code = "SAMPLE_NOT_PASSED"
    zh = "按现在的接入定义，还没有通过的样本：{zh}。请再试送，或由经办岗写明理由接受一份样本。"
    en = "No sample passed under the present feed definition: {en}. Try again, or a maker accepts one in writing."


class SampleMissing(Refusal):
    """Nothing was tried under the present definition."""

    code = "SAMPLE_MISSING"
    zh = "按现在的接入定义还没有试送过样本。请先在对接页上传一份样本。"
    en = "No sample has been tried under the present feed definition. Upload one on the docking page first."


class SampleOutdated(Refusal):
    """The sample was tried under another definition."""

    code = "SAMPLE_OUTDATED"
    zh = "这份样本是按较早的接入定义试送的，不能作为依据。请按现在的定义重新试送。"
    en = "This sample was tried under an earlier feed definition and proves nothing for the present one. Try again."


class SampleOfOtherVersion(Refusal):
    """The sample was calculated with another version of the methodology than the one that would calculate now."""

    code = "SAMPLE_OF_OTHER_VERSION"
    zh = "样本 {file_name} 不是按现在的方法学版本（{version}）试算的。请按现在的版本重新试送。"
    en = (
        "The sample {file_name} was not calculated with the version that holds now ({version}). Try it again."
    )
