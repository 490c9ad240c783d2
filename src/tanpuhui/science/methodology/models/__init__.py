"""Tables of this room: versions and filings, experts, panels with their reviews, meetings with their votes."""

from tanpuhui.science.methodology.models.experts import Expert, ExpertInterest, ExpertTerm
from tanpuhui.science.methodology.models.meetings import FeeLine, MeetingVote, ReviewMeeting
from tanpuhui.science.methodology.models.panels import (
    ExpertExclusion,
    PanelCandidate,
    PanelSeat,
    ReviewPanel,
)
from tanpuhui.science.methodology.models.reviews import ExpertReview, ExpertTrial, RemarkReply, ReviewRemark
from tanpuhui.science.methodology.models.versions import (
    FilingVersion,
    MethodologyDraft,
    MethodologyFiling,
    MethodologyVersion,
    VersionStatus,
)

__all__ = [
    "Expert",
    "ExpertExclusion",
    "ExpertInterest",
    "ExpertReview",
    "ExpertTerm",
    "ExpertTrial",
    "FeeLine",
    "FilingVersion",
    "MeetingVote",
    "MethodologyDraft",
    "MethodologyFiling",
    "MethodologyVersion",
    "PanelCandidate",
    "PanelSeat",
    "RemarkReply",
    "ReviewMeeting",
    "ReviewPanel",
    "ReviewRemark",
    "VersionStatus",
]
