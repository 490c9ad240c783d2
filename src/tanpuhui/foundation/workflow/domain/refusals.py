"""Every refusal of this room."""

from __future__ import annotations

from tanpuhui.foundation.kernel.errors import Refusal


class CaseMoved(Refusal):
    """Somebody decided first; the opinion comes back in the data, so that nothing written is lost."""

    code = "CASE_MOVED"
    zh = "案件 {number} 已由 {who} 于 {when} 作出“{outcome}”，现为“{state}”。你的意见没有提交，已为你保留；请看过新情况后再决定。"
    en = (
        "Case {number} was moved by {who} at {when} with the outcome {outcome}; it is now {state}. "
        "Your opinion was not entered and is kept for you; look at what happened, then decide again."
    )


class OutcomeNotOpen(Refusal):
    """The case's pinned process has no such outcome from its present state."""

    code = "OUTCOME_NOT_OPEN"
    zh = "案件 {number} 在“{state}”环节不能作出“{outcome}”。现在可以作出的是：{open}。"
    en = "Case {number} cannot be given the outcome {outcome} while it is {state}. Open now: {open}."


class NotYourDecision(Refusal):
    """The transition belongs to another role, area or organisation."""

    code = "NOT_YOUR_DECISION"
    zh = "案件 {number} 的“{outcome}”由“{role}”作出（辖区 {area}，限本案所列机构）。请转给有权的人员办理。"
    en = (
        "The outcome {outcome} of case {number} is for the role {role} (area {area}, and for the organisation named on the case). "
        "Pass it to somebody who holds that role."
    )


class SamePerson(Refusal):
    """The two-person rule (双人复核): who decided one named step may not decide the other."""

    code = "SAME_PERSON"
    zh = "案件 {number} 的“{outcome}”须由“{first}”以外的另一人作出，而“{first}”正是你作出的。请由同事复核。"
    en = "The outcome {outcome} of case {number} needs another person than the one who decided {first}, which was you. Ask a colleague."


class CaseRuns(Refusal):
    """A package is made of a case that is closed: a running one is still changing."""

    code = "CASE_RUNS"
    zh = "案件 {number} 还没有办结，不能归档。办结以后再下载归档包。"
    en = "Case {number} is not closed, so there is no archive package yet. Download it once the case is closed."


class NotIndependent(Refusal):
    """Whoever decided in a case does not decide what is said against it."""

    code = "NOT_INDEPENDENT"
    zh = "案件 {number} 的“{outcome}”须由没有办理过原案件的人作出，而你在原案件中作出过决定。请转给没有参与的同事。"
    en = "The outcome {outcome} of case {number} is for somebody who decided nothing in the original case; you did. Pass it to a colleague."


class AppealTooLate(Refusal):
    """The time in which a rule lets an appeal be filed is over."""

    code = "APPEAL_TOO_LATE"
    zh = "对案件 {number} 的申诉期限为决定作出后 {days} 个工作日，已于 {last_day} 届满（依据：{basis}）。"
    en = "An appeal in case {number} could be filed within {days} working days of the decision, until {last_day} ({basis})."


class NothingToAppeal(Refusal):
    """An appeal is a party's, against a decision that somebody else took."""

    code = "NOTHING_TO_APPEAL"
    zh = "不能对案件 {number} 提出申诉：{why_zh}。"
    en = "No appeal can be filed in case {number}: {why_en}."


class GuardUnproven(Refusal):
    """The step that the two-person rule compares with was never taken; missing data never passes a guard."""

    code = "GUARD_UNPROVEN"
    zh = "案件 {number} 还没有“{first}”这一步的记录，无法核对双人复核，因此不能作出“{outcome}”。"
    en = "Case {number} has no decision {first} to compare with, so the two-person rule for {outcome} cannot be checked."


class OpinionMissing(Refusal):
    """An opinion is mandatory."""

    code = "OPINION_MISSING"
    zh = "请写明意见。每一项决定都要有意见，并随案保存。"
    en = "Write your opinion. Every decision carries one, and it is kept with the case."


class OpinionTooLong(Refusal):
    """An opinion has an upper length; longer texts are documents."""

    code = "OPINION_TOO_LONG"
    zh = "意见最多 {most} 个字，现在有 {length} 个。请把长文作为附件提交。"
    en = "An opinion has at most {most} characters; this one has {length}. Attach a long text as a document."


class CaseAlreadyOpen(Refusal):
    """One subject has at most one running case of one process."""

    code = "CASE_ALREADY_OPEN"
    zh = "该事项已有在办案件 {number}，不能重复立案。请在该案件中办理。"
    en = "There is already a running case {number} for this subject. Continue in that case."


class PartyAlreadyNamed(Refusal):
    """A party of a case is named once."""

    code = "PARTY_ALREADY_NAMED"
    zh = "案件 {number} 的“{role}”已经指定，不能改为另一机构。"
    en = "The {role} of case {number} is already named and cannot be exchanged for another organisation."


class PartyUnsuitable(Refusal):
    """The organisation may not be this party of this case."""

    code = "PARTY_UNSUITABLE"
    zh = "不能把该机构指定为案件 {number} 的“{role}”：{why_zh}。"
    en = "That organisation cannot be the {role} of case {number}: {why_en}."


class ValueMissing(Refusal):
    """The process asks for values with this decision, or a rule is unset and the decider must say."""

    code = "VALUE_MISSING"
    zh = (
        "案件 {number} 的“{outcome}”还缺少：{labels_zh}。请填写后再提交；规则没有规定的，请在意见中写明理由。"
    )
    en = (
        "The outcome {outcome} of case {number} still needs: {labels_en}. Enter it and submit again; where no rule sets it, "
        "give the reason in the opinion."
    )


class ValueWrong(Refusal):
    """A value entered with the decision is not of its kind."""

    code = "VALUE_WRONG"
    zh = "“{label_zh}”的值“{value}”不对：{why_zh}。"
    en = "The value {value!r} of {label_en} is wrong: {why_en}."


class EvidenceMissing(Refusal):
    """Attachments that the process demands are not on the case."""

    code = "EVIDENCE_MISSING"
    zh = "案件 {number} 的“{outcome}”须附：{kinds}。请先把材料作为附件提交。"
    en = "The outcome {outcome} of case {number} needs these attachments: {kinds}. Attach them first."


class AssignedToOther(Refusal):
    """The step is held for another person."""

    code = "ASSIGNED_TO_OTHER"
    zh = "案件 {number} 的这一步已转给“{who}”办理。要由你办理，请先转给自己。"
    en = "This step of case {number} is assigned to {who}. To act on it yourself, take it over first."


class AssigneeUnsuitable(Refusal):
    """The person could not take this step."""

    code = "ASSIGNEE_UNSUITABLE"
    zh = "不能把案件 {number} 转给该人员：他在本案的这一步没有办理权限。请选择有权的同事。"
    en = "Case {number} cannot be assigned to that person, who may not take this step. Choose a colleague who may."


class CaseTaken(Refusal):
    """A colleague assigned the step first; the reason comes back in the data, so that nothing written is lost."""

    code = "CASE_TAKEN"
    zh = "案件 {number} 的这一步已由 {who} 于 {when} 转给“{to}”，理由：{why}。你的转办没有提交；请看过新情况后再决定。"
    en = (
        "This step of case {number} was assigned to {to} by {who} at {when}: {why}. "
        "Yours was not entered; look at what happened, then decide again."
    )


class RemarkAnswered(Refusal):
    """Somebody answered the remark first; the text comes back in the data, so that nothing written is lost."""

    code = "REMARK_ANSWERED"
    zh = (
        "对“{item}”的意见，{who} 已于 {when} 答复：“{said}”。你的答复没有提交，已为你保留；请看过以后再提交。"
    )
    en = (
        "The remark on {item} was answered by {who} at {when}: “{said}”. Your answer was not entered and is kept for you; "
        "read that one, then submit again."
    )


class UrgedToday(Refusal):
    """One urging a day is enough."""

    code = "URGED_TODAY"
    zh = "案件 {number} 今天已经催办过，承办人员已收到提醒。请明天再催。"
    en = "Case {number} was urged today already, and those who act on it were told. Try again tomorrow."


class NoticeRuns(Refusal):
    """The public notice of this step is not over."""

    code = "NOTICE_RUNS"
    zh = "案件 {number} 的公示到 {closes_on} 为止，期满以后才能进入下一步。"
    en = "The public notice of case {number} runs until {closes_on}; the next step follows after that."


class ObjectionsOpen(Refusal):
    """Objections raised in the notice wait for an answer."""

    code = "OBJECTIONS_OPEN"
    zh = "案件 {number} 的公示有 {count} 条异议没有答复，或经核实成立。请逐条答复；成立的，请退回补正。"
    en = (
        "Case {number} has {count} objections that are not answered or were upheld. Answer each of them; "
        "where one is upheld, return the case for correction."
    )


class AttachmentUnsuitable(Refusal):
    """A file of another kind or larger than what a case takes."""

    code = "ATTACHMENT_UNSUITABLE"
    zh = "“{name}”没有作为附件收下：{why_zh}。"
    en = "{name} was not attached: {why_en}."


class CannotRescind(Refusal):
    """The decision is not one that can be taken back by itself."""

    code = "CANNOT_RESCIND"
    zh = "案件 {number} 第 {step} 步的决定不能撤销：{why_zh}。"
    en = "The decision of step {step} of case {number} cannot be rescinded: {why_en}."


class NotCaseMember(Refusal):
    """Only those who take part in a case may add to it."""

    code = "NOT_CASE_MEMBER"
    zh = "你不是案件 {number} 的当事方或承办人员，不能{act_zh}。"
    en = "You are neither a party of case {number} nor one of those who act on it, so you cannot {act_en}."


class NoticeOver(Refusal):
    """Comments are taken from the first to the last day of a notice."""

    code = "NOTICE_OVER"
    zh = (
        "这次公示到 {last_day} 为止，已经不能再提意见。你写的内容没有提交；仍有情况要反映的，请联系承办单位。"
    )
    en = (
        "This notice took comments until {last_day}. What you wrote was not entered; "
        "if there is something to report, contact the office in charge."
    )


class RealNameNeeded(Refusal):
    """A comment on a notice carries the real name of whoever makes it."""

    code = "REAL_NAME_NEEDED"
    zh = "请填写真实姓名（2 个字以上，不含数字和符号）。公开时只显示姓，除非你选择公开全名。"
    en = (
        "Give your real name (two letters or more, no digits or signs). "
        "In public only its first letter is shown, unless you choose to show all of it."
    )


class CommenterUnknown(Refusal):
    """Nothing verified stands behind the name."""

    code = "COMMENTER_UNKNOWN"
    zh = "你的账号没有验证过的手机号，也不属于任何机构，不能实名提意见。请用手机验证码登录后再提。"
    en = (
        "Your account has no verified phone and belongs to no organisation, so a comment under your name cannot be taken. "
        "Sign in with a phone code and try again."
    )


class CommenterDecides(Refusal):
    """Whoever answers the comments of a notice does not comment on it."""

    code = "COMMENTER_DECIDES"
    zh = "你是案件 {number} 的承办人员，负责答复这次公示的意见，不能自己提意见。请在办件中写明你的看法。"
    en = (
        "You act on case {number} and answer the comments on this notice, so you cannot comment on it. "
        "Write what you think on the case."
    )


class TooManyComments(Refusal):
    """One person's comments are limited, so that nobody drowns the others."""

    code = "TOO_MANY_COMMENTS"
    zh = "每人对同一公示最多提 {per_notice} 条意见，一天最多 {per_day} 条，你已达到上限。请把要补充的内容合并，或改天再提。"
    en = (
        "One person makes at most {per_notice} comments on a notice and {per_day} a day; you have reached that. "
        "Put what you have to add together, or come back another day."
    )


class CommentMissing(Refusal):
    """A comment or answer says something."""

    code = "COMMENT_MISSING"
    zh = "请写明内容后再提交。"
    en = "Write what you have to say, then submit again."


class CommentTooLong(Refusal):
    """A comment has an upper length; longer texts are files."""

    code = "COMMENT_TOO_LONG"
    zh = "最多 {most} 个字，现在有 {length} 个。请把长文作为附件提交。"
    en = "At most {most} characters are taken; this has {length}. Attach a long text as a file."


class TooManyFiles(Refusal):
    """A comment carries a few files."""

    code = "TOO_MANY_FILES"
    zh = "一条意见最多附 {most} 个文件，现在有 {count} 个。请合并或减少后再提交。"
    en = "A comment carries at most {most} files; there are {count}. Join or drop some and submit again."


class FileKindRefused(Refusal):
    """Only files of named kinds are taken, judged by their content too."""

    code = "FILE_KIND_REFUSED"
    zh = "不能接收文件“{name}”：只收 {kinds}，内容也须与后缀相符。请转换格式后再提交。"
    en = "The file {name} is not taken: only {kinds}, and its content must match its ending. Convert it and submit again."


class FileTooBig(Refusal):
    """A file of a comment has an upper size."""

    code = "COMMENT_FILE_TOO_LARGE"
    zh = "文件“{name}”有 {size} 字节，超过上限 {most} 字节。请压缩或拆分后再提交。"
    en = "The file {name} has {size} bytes; at most {most} are taken. Shrink or split it and submit again."


class CommentAnswered(Refusal):
    """Somebody answered first; the text comes back in the data, so that nothing written is lost."""

    code = "COMMENT_ANSWERED"
    zh = "这条意见已由 {who} 于 {when} 答复，不能再改。你写的内容没有提交，已为你保留。"
    en = "This comment was answered by {who} at {when} and that stands. What you wrote was not entered and is kept for you."


class CommentTakenBack(Refusal):
    """The person took the comment back."""

    code = "COMMENT_WITHDRAWN"
    zh = "这条意见已由本人撤回，不用答复。"
    en = "The person took this comment back; it needs no answer."


class NotYourAnswer(Refusal):
    """Comments are answered by those who act on the case."""

    code = "NOT_YOUR_ANSWER"
    zh = "案件 {number} 的公示由“{role}”管理（辖区 {area}）。请转给有权的人员办理。"
    en = "The notice of case {number} is in the hands of the role {role} (area {area}). Pass it to somebody who holds that role."


class OwnComment(Refusal):
    """Nobody answers themselves."""

    code = "OWN_COMMENT"
    zh = "这条意见是你自己提的，请由同事答复。"
    en = "You made this comment yourself. Ask a colleague to answer it."


class UpheldMissing(Refusal):
    """The answer to an objection says whether it is right."""

    code = "UPHELD_MISSING"
    zh = "答复异议时，请写明异议是否成立。"
    en = "Say whether the objection is upheld when you answer it."
