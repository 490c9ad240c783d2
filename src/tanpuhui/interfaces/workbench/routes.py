"""The permission table of this face: every address by name, and who may open it."""

from __future__ import annotations

from collections.abc import Mapping

from tanpuhui.foundation.kernel.actors import SCHEME_ADMINISTRATORS, Role
from tanpuhui.interfaces.access.domain import RouteRule, only

EVERYBODY = only(*(role for role in Role if role not in {Role.CITIZEN, Role.SYSTEM}))
"""Whoever works for an organisation; citizens have their own face."""

CENTRE = (Role.MAKER, Role.CHECKER, Role.SUBCENTRE, Role.REGULATOR)
"""Those who run or watch the scheme; they read everything of their area."""

SIGN_IN_KEEPERS = only(Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)
"""Those who look after how others sign in: the scheme's security administrator, and each outside organisation's own."""

HOLDERS = (Role.OWNER, Role.BUYER)

AUTHORS = only(Role.OWNER, Role.PARTNER, Role.EXPERT, Role.MAKER, Role.SUBCENTRE)
"""Those who write methodologies, each on the drafts of their own organisation."""

APPLICANTS = only(Role.PARTNER, Role.OWNER, Role.MAKER)
"""Those who apply for a scenario and try samples for it."""

APPLICATION_READERS = only(Role.PARTNER, Role.OWNER, Role.EXPERT, *CENTRE)
"""Those who read applications: the applicant, the partner it names, the experts who assess, and the centre."""

WORKERS = only(*(EVERYBODY.roles - SCHEME_ADMINISTRATORS - {Role.ADMINISTRATOR}))
"""Those whose roles can be delegated: everybody but the administrators."""

ROUTES: Mapping[str, RouteRule] = {
    "inbox": EVERYBODY,
    "me": EVERYBODY,
    "messages": EVERYBODY,
    "open-message": EVERYBODY,
    "message-settings": EVERYBODY,
    "mail-address": EVERYBODY,
    "confirm-address": EVERYBODY,
    **dict.fromkeys(
        (
            "my-sign-in",
            "my-totp",
            "my-totp-new",
            "my-totp-code",
            "my-recovery-codes",
            "my-passkey-options",
            "my-passkey-new",
            "my-passkey-remove",
            "my-password",
            "my-sessions-end",
        ),
        EVERYBODY,
    ),
    **dict.fromkeys(
        ("sign-ins", "sign-in-of", "sign-in-unlock", "sign-in-reset", "sign-in-end", "sign-in-password"),
        SIGN_IN_KEEPERS,
    ),
    "cases": only(*CENTRE, *HOLDERS, Role.VERIFIER, Role.EXPERT, Role.PARTNER, Role.MERCHANT),
    "case": EVERYBODY,
    "export-inbox": EVERYBODY,
    "export-cases": only(*CENTRE, *HOLDERS, Role.VERIFIER, Role.EXPERT, Role.PARTNER, Role.MERCHANT),
    "assign-cases": only(*CENTRE, Role.VERIFIER, Role.EXPERT),
    "keep-filter": EVERYBODY,
    "board": only(*CENTRE),
    "case-attach": EVERYBODY,
    "case-attachment": EVERYBODY,
    "case-remark": EVERYBODY,
    "case-assign": EVERYBODY,
    "case-urge": EVERYBODY,
    "case-follow": EVERYBODY,
    "case-archive": EVERYBODY,
    "case-deadline": only(*CENTRE),
    "case-appeal": only(*HOLDERS, Role.VERIFIER, Role.PARTNER, Role.MERCHANT),
    "case-amend": only(*CENTRE),
    "process": EVERYBODY,
    "notices": only(*CENTRE),
    "notice-extend": only(*CENTRE),
    "notice-comment": only(*CENTRE),
    "notice-comment-file": only(*CENTRE),
    "batches": only(Role.PARTNER, *CENTRE),
    "send-batch": only(Role.PARTNER),
    "batch": only(Role.PARTNER, *CENTRE),
    "batch-report": only(Role.PARTNER, *CENTRE),
    "batch-rows": only(Role.PARTNER, *CENTRE),
    "request-correction": only(Role.MAKER),
    "format": only(Role.PARTNER, *CENTRE),
    "scenarios": only(*CENTRE),
    "scenario": only(*CENTRE),
    "scenario-standing": only(Role.MAKER),
    "applications": APPLICATION_READERS,
    "new-application": APPLICANTS,
    "application": APPLICATION_READERS,
    "edit-application": APPLICANTS,
    "submit-application": APPLICANTS,
    "discard-application": APPLICANTS,
    "attach-to-application": APPLICANTS,
    "application-document": APPLICATION_READERS,
    "detach-from-application": APPLICANTS,
    "docking": APPLICANTS,
    "sample": APPLICATION_READERS,
    "sample-rows": APPLICATION_READERS,
    "sample-report": APPLICATION_READERS,
    "accept-sample": only(Role.MAKER),
    "erase-sample": APPLICANTS,
    "pools": only(*CENTRE),
    "pool-month": only(Role.MAKER),
    "sweep": only(Role.MAKER),
    "recalculations": only(*CENTRE),
    "recalculation-new": only(Role.MAKER),
    "recalculation": only(*CENTRE),
    "recalculation-progress": only(*CENTRE),
    "projects": only(*CENTRE, Role.OWNER),
    "project": only(*CENTRE, Role.OWNER),
    "issuances": only(*CENTRE),
    "methodologies": only(*CENTRE, Role.EXPERT),
    "propose": only(Role.MAKER, Role.SUBCENTRE, Role.EXPERT),
    "methodology-life": only(Role.MAKER, Role.REGULATOR),
    "reviews": only(Role.EXPERT),
    "interest-new": only(Role.EXPERT),
    "interest-withdraw": only(Role.EXPERT),
    "review": only(Role.EXPERT),
    "review-declare": only(Role.EXPERT),
    "review-text": only(Role.EXPERT),
    "review-trial": only(Role.EXPERT),
    "review-meeting": only(Role.EXPERT),
    "review-vote": only(Role.EXPERT),
    "review-sign": only(Role.EXPERT),
    "filing-remarks": AUTHORS,
    "panels": only(*CENTRE),
    "panel": only(*CENTRE),
    "panel-draw": only(Role.MAKER),
    "panel-exclude": only(Role.MAKER, Role.REGULATOR),
    "panel-confirm": only(Role.CHECKER, Role.REGULATOR),
    "panel-meeting": only(Role.MAKER),
    "panel-minutes": only(Role.MAKER),
    "panel-minutes-file": only(*CENTRE),
    "experts": only(*CENTRE),
    "expert": only(*CENTRE),
    "expert-new": only(Role.MAKER),
    "expert-end": only(Role.CHECKER, Role.REGULATOR),
    "drafts": AUTHORS,
    "new-draft": AUTHORS,
    "draft": AUTHORS,
    "draft-check": AUTHORS,
    "draft-file": AUTHORS,
    "draft-trial": AUTHORS,
    "draft-case": AUTHORS,
    "draft-difference": AUTHORS,
    "draft-propose": AUTHORS,
    "draft-close": AUTHORS,
    "settlements": only(*CENTRE),
    "close-settlement": only(Role.MAKER),
    "audit": only(Role.REGULATOR, Role.CHECKER, Role.AUDIT_ADMINISTRATOR),
    "rules": only(*CENTRE, *SCHEME_ADMINISTRATORS),
    "holidays": only(*CENTRE, *SCHEME_ADMINISTRATORS),
    "holiday-set": only(Role.SYSTEM_ADMINISTRATOR),
    "audit-export": only(Role.REGULATOR, Role.AUDIT_ADMINISTRATOR),
    "organisations": only(*CENTRE, *SCHEME_ADMINISTRATORS, Role.ADMINISTRATOR),
    "organisation": only(*CENTRE, *SCHEME_ADMINISTRATORS, Role.ADMINISTRATOR),
    "add-contract": only(Role.SYSTEM_ADMINISTRATOR),
    "add-person": only(Role.SYSTEM_ADMINISTRATOR, Role.ADMINISTRATOR),
    "invite-again": only(Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.ADMINISTRATOR),
    "grant-role": only(Role.SECURITY_ADMINISTRATOR, Role.ADMINISTRATOR),
    "end-membership": only(Role.SECURITY_ADMINISTRATOR, Role.ADMINISTRATOR),
    "api-keys": only(Role.SECURITY_ADMINISTRATOR, Role.ADMINISTRATOR),
    "revoke-api-key": only(Role.SECURITY_ADMINISTRATOR, Role.ADMINISTRATOR),
    "areas": only(*CENTRE, *SCHEME_ADMINISTRATORS),
    "assign-area": only(Role.SYSTEM_ADMINISTRATOR),
    "delegations": WORKERS,
    "new-delegation": WORKERS,
    "end-delegation": WORKERS,
    "holdings": only(*HOLDERS),
    "holding": only(*HOLDERS, *CENTRE),
    "offer": only(*HOLDERS),
    "accept": only(*HOLDERS),
    "decline": only(*HOLDERS),
    "retire": only(*HOLDERS),
    "certificates": only(*HOLDERS),
    "honour": only(Role.MERCHANT),
    "honoured": only(Role.MERCHANT),
    "goods": only(Role.MERCHANT),
    "list-good": only(Role.MERCHANT),
    "restock": only(Role.MERCHANT),
    "withdraw": only(Role.MERCHANT),
    "sheets": only(Role.MERCHANT),
    "settlement-sheet": only(Role.MERCHANT, *CENTRE),
}
