"""Verbs of people and organisations.

Errors: see `identity.domain`; Invalid, NotFound, NotPermitted from the kernel. `request_code`, `sign_in_with_code`,
`register_with_code` and `sign_in_with_password` are what the sign-in pages call; they return the user, and the page
opens the session with `django.contrib.auth.login`.
"""

from tanpuhui.foundation.identity.domain import (
    AdministratorNeeded,
    AdministratorsCombined,
    AlreadyFounded,
    ApiKeyRevoked,
    ApiKeyUnknown,
    CodeExpired,
    CodeTooSoon,
    CodeWrong,
    ConsentStands,
    MembershipEnded,
    MembershipExists,
    NoConsent,
    NotTheirPerson,
    OrganisationKind,
    PasswordWrong,
    PhoneNotRegistered,
    PhoneTaken,
    RoleNotOfKind,
    SelfAppointment,
    SignInLocked,
    SmsNotConfigured,
    SubjectBoundElsewhere,
    TooManyCodes,
    UscCodeTaken,
    UsernameTaken,
)
from tanpuhui.foundation.identity.operations._add_member import (
    MemberAdded,
    PersonAdded,
    add_member,
    add_person,
)
from tanpuhui.foundation.identity.operations._api_key import (
    ApiKeyClosed,
    ApiKeyIssued,
    issue_api_key,
    revoke_api_key,
)
from tanpuhui.foundation.identity.operations._appoint_administrators import (
    AdministratorsAppointed,
    NewAdministrator,
    appoint_administrators,
)
from tanpuhui.foundation.identity.operations._bind_partner_subjects import (
    PartnerSubjectBound,
    PartnerSubjectsBound,
    bind_partner_subject,
    bind_partner_subjects,
)
from tanpuhui.foundation.identity.operations._code import (
    CodeRequested,
    register_with_code,
    request_code,
    sign_in_with_code,
)
from tanpuhui.foundation.identity.operations._consent import (
    ConsentGiven,
    ConsentsGiven,
    ConsentWithdrawn,
    give_consent,
    give_consents,
    withdraw_consent,
)
from tanpuhui.foundation.identity.operations._grant_role import (
    MembershipOver,
    RoleGranted,
    end_membership,
    grant_role,
)
from tanpuhui.foundation.identity.operations._password import sign_in_with_password
from tanpuhui.foundation.identity.operations._register_citizen import (
    CitizenRegistered,
    CitizensRegistered,
    NewCitizen,
    register_citizen,
    register_citizens,
)
from tanpuhui.foundation.identity.operations._register_organisation import (
    OrganisationRegistered,
    register_organisation,
)
from tanpuhui.foundation.identity.operations._text_person import text_person

__all__ = [
    "AdministratorNeeded",
    "AdministratorsAppointed",
    "AdministratorsCombined",
    "AlreadyFounded",
    "ApiKeyClosed",
    "ApiKeyIssued",
    "ApiKeyRevoked",
    "ApiKeyUnknown",
    "CitizenRegistered",
    "CitizensRegistered",
    "CodeExpired",
    "CodeRequested",
    "CodeTooSoon",
    "CodeWrong",
    "ConsentGiven",
    "ConsentStands",
    "ConsentWithdrawn",
    "ConsentsGiven",
    "MemberAdded",
    "MembershipEnded",
    "MembershipExists",
    "MembershipOver",
    "NewAdministrator",
    "NewCitizen",
    "NoConsent",
    "NotTheirPerson",
    "OrganisationKind",
    "OrganisationRegistered",
    "PartnerSubjectBound",
    "PartnerSubjectsBound",
    "PasswordWrong",
    "PersonAdded",
    "PhoneNotRegistered",
    "PhoneTaken",
    "RoleGranted",
    "RoleNotOfKind",
    "SelfAppointment",
    "SignInLocked",
    "SmsNotConfigured",
    "SubjectBoundElsewhere",
    "TooManyCodes",
    "UscCodeTaken",
    "UsernameTaken",
    "add_member",
    "add_person",
    "appoint_administrators",
    "bind_partner_subject",
    "bind_partner_subjects",
    "end_membership",
    "give_consent",
    "give_consents",
    "grant_role",
    "issue_api_key",
    "register_citizen",
    "register_citizens",
    "register_organisation",
    "register_with_code",
    "request_code",
    "revoke_api_key",
    "sign_in_with_code",
    "sign_in_with_password",
    "text_person",
    "withdraw_consent",
]
