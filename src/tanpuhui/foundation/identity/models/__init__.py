"""People, organisations, memberships, partner subjects and consents (人员、机构、成员关系、伙伴主体、授权)."""

from __future__ import annotations

from typing import ClassVar, Self

import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When

from tanpuhui.foundation.identity.models.closures import AccountClosure
from tanpuhui.foundation.identity.models.consent_texts import ConsentText
from tanpuhui.foundation.identity.models.onboarding import (
    Invitation,
    OrganisationApplication,
    OrganisationContract,
)
from tanpuhui.foundation.kernel.actors import CLOSED_NAME, SCHEME_ADMINISTRATORS
from tanpuhui.foundation.persistence.triggers import kept_for

__all__ = [
    "AccountClosure",
    "ApiKey",
    "AreaAssignment",
    "Consent",
    "ConsentText",
    "Delegation",
    "EarlierPassword",
    "ExternalIdentity",
    "Invitation",
    "Membership",
    "Organisation",
    "OrganisationApplication",
    "OrganisationContract",
    "PartnerSubject",
    "Passkey",
    "RecoveryCode",
    "SignInAttempt",
    "SignInCode",
    "SignInSession",
    "SigningKey",
    "TotpAuthenticator",
    "UsedNonce",
    "User",
]


class Held(Func):
    """The time between two moments, without the last one."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class User(AbstractBaseUser):
    """Somebody who signs in. Citizens are known by phone, organisations' people by a user name.

    `organisation` is the one that keeps the sign-in of its person (归属机构); roles are memberships. A phone means one
    citizen; the same person may also sign in for an organisation, and their private account has nothing to do with it.
    A temporary password was given by somebody else and is changed at the next sign-in. Of who closed their account
    (`closed_at`) only the number is left, as a pseudonym under which the books go on to balance.
    """

    username = models.TextField(unique=True)
    display_name = models.TextField()
    area = models.CharField(max_length=6)
    is_citizen = models.BooleanField()
    phone_sealed = models.BinaryField(null=True)
    phone_index = models.BinaryField(null=True, max_length=32)
    organisation = models.ForeignKey(
        "Organisation", null=True, on_delete=models.PROTECT, related_name="people"
    )
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField()
    password_set_at = models.DateTimeField(null=True)
    password_is_temporary = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[BaseUserManager[Self]] = BaseUserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["phone_index"],
                condition=models.Q(phone_index__isnull=False, is_citizen=True),
                name="user_one_per_phone",
            ),
            models.CheckConstraint(
                condition=models.Q(is_citizen=False)
                | models.Q(closed_at__isnull=False)
                | models.Q(phone_index__isnull=False, phone_sealed__isnull=False),
                name="user_citizen_has_phone",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True)
                | models.Q(
                    phone_index__isnull=True,
                    phone_sealed__isnull=True,
                    display_name=CLOSED_NAME,
                    is_citizen=True,
                    is_active=False,
                ),
                name="user_closed_holds_nothing",
            ),
        ]


class Organisation(models.Model):
    """A centre, department, owner, verifier, partner, merchant, buyer or pilot area (机构)."""

    kind = models.TextField()
    name = models.TextField()
    name_en = models.TextField()
    uscc = models.CharField(max_length=18, unique=True)
    area = models.CharField(max_length=6)
    admitted_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["kind", "area"], name="organisation_by_kind")]


class Membership(models.Model):
    """One role of one user for one organisation in one area, with its dates (成员关系)."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    role = models.TextField()
    area = models.CharField(max_length=6)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "role", "area", "valid_from"], name="membership_once"
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=models.F("valid_from")),
                name="membership_ends_after_it_begins",
            ),
            # Of one person, an administrator's duty and any other one do not overlap; the other roles are one duty here.
            ExclusionConstraint(
                name="membership_administrators_stand_alone",
                expressions=[
                    (F("user"), RangeOperators.EQUAL),
                    (
                        Case(
                            When(
                                Q(role__in=sorted(role.value for role in SCHEME_ADMINISTRATORS)),
                                then=F("role"),
                            ),
                            default=Value("scheme", output_field=models.TextField()),
                            output_field=models.TextField(),
                        ),
                        RangeOperators.NOT_EQUAL,
                    ),
                    (Held("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]


class AreaAssignment(models.Model):
    """A city that a sub-centre runs, with its dates (辖区划分). A city without one is run by the province's centre alone."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    area = models.CharField(max_length=6)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    reason = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=models.F("valid_from")),
                name="area_assignment_ends_after_it_begins",
            ),
            ExclusionConstraint(
                name="area_assignment_one_at_a_time",
                expressions=[
                    (F("area"), RangeOperators.EQUAL),
                    (Held("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes = [models.Index(fields=["organisation", "valid_from"], name="area_assignment_by_centre")]


class Delegation(models.Model):
    """Roles that one person lets another use for a while (授权代办), for one organisation and inside one area."""

    giver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="delegations_given")
    receiver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="delegations_received")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    roles = ArrayField(models.TextField())
    area = models.CharField(max_length=6)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()
    reason = models.TextField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.TextField(default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to__gt=models.F("valid_from")),
                name="delegation_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=~models.Q(giver=models.F("receiver")), name="delegation_to_somebody_else"
            ),
        ]
        indexes = [models.Index(fields=["receiver", "valid_to"], name="delegation_by_receiver")]


class PartnerSubject(models.Model):
    """The pseudonym under which a data partner knows a person (伙伴主体): a keyed hash, never the partner's own id."""

    partner = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    subject_index = models.BinaryField(max_length=32)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    bound_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "subject_index"], name="partner_subject_once")
        ]


class Consent(models.Model):
    """A person's separate consent for one scenario (单独同意), with the moments it holds between.

    `text_sha256` is the hash of the version agreed to; empty where it was agreed to elsewhere, or before hashes were kept.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    scenario = models.TextField()
    text_version = models.TextField()
    text_sha256 = models.CharField(max_length=64, default="")
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "scenario"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="consent_one_open_per_scenario",
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True)
                | models.Q(withdrawn_at__gte=models.F("given_at")),
                name="consent_withdrawn_after_given",
            ),
        ]
        indexes = [models.Index(fields=["scenario", "user"], name="consent_by_scenario")]


class SignInCode(models.Model):
    """A code sent to a phone (验证码): keyed hash of phone and code, tries left, when it was used."""

    phone_index = models.BinaryField(max_length=32)
    code_index = models.BinaryField(max_length=32)
    ip = models.TextField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries_left = models.SmallIntegerField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tries_left__gte=0), name="sign_in_code_tries_not_negative"
            )
        ]
        indexes = [
            models.Index(fields=["phone_index", "issued_at"], name="sign_in_code_by_phone"),
            models.Index(fields=["ip", "issued_at"], name="sign_in_code_by_ip"),
        ]


class SignInAttempt(models.Model):
    """One try at a password or a second factor (登录尝试), for the lock-out; the user name is a keyed hash."""

    name_index = models.BinaryField(max_length=32)
    way = models.TextField(default="password")
    ip = models.TextField()
    outcome = models.TextField()
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["name_index", "at"], name="sign_in_attempt_by_name"),
            models.Index(fields=["ip", "at"], name="sign_in_attempt_by_ip"),
        ]
        triggers = kept_for("retention.log_months", "at")


class ExternalIdentity(models.Model):
    """Who somebody is at another place (外部身份): a keyed hash of that place's own number, and how well it checked them.

    Bound once to one person, after they showed here who they are; a binding that was undone stays as a row.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    way = models.TextField()
    issuer = models.TextField()
    subject_index = models.BinaryField(max_length=32)
    real_name_level = models.TextField()
    bound_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    unbound_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject_index"],
                condition=models.Q(unbound_at__isnull=True),
                name="external_identity_of_one_person",
            ),
            models.UniqueConstraint(
                fields=["user", "issuer"],
                condition=models.Q(unbound_at__isnull=True),
                name="external_identity_one_per_issuer",
            ),
        ]


class SignInSession(models.Model):
    """One session of somebody (登录会话): how it was opened, from where, and when and by whom it was ended.

    Its content is Django's; a row of ours without a session of Django's is one that ended by itself.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    session_key = models.TextField(unique=True)
    way = models.TextField()
    ip = models.TextField()
    device = models.TextField()
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_why = models.TextField(default="")

    class Meta:
        indexes = [models.Index(fields=["user", "opened_at"], name="sign_in_session_by_user")]


class EarlierPassword(models.Model):
    """The hash of a password that somebody had (曾用密码), so that it is not taken again too soon."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    password = models.TextField()
    ended_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "ended_at"], name="earlier_password_by_user")]


class TotpAuthenticator(models.Model):
    """A shared secret of a time-based code (动态口令验证器, RFC 6238); `last_step` is the 30-second step accepted last.

    `demonstration` marks one that `tanpuhui demo` made for an invented person.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    secret_sealed = models.BinaryField()
    demonstration = models.BooleanField(default=False)
    begun_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(confirmed_at__isnull=False, removed_at__isnull=True),
                name="totp_one_in_force",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(confirmed_at__isnull=True, removed_at__isnull=True),
                name="totp_one_pending",
            ),
        ]


class Passkey(models.Model):
    """A public key whose other half a device keeps (通行密钥, WebAuthn); it works under one name, the relying party."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    relying_party = models.TextField()
    credential_id = models.BinaryField(unique=True)
    credential_data = models.BinaryField()
    sign_count = models.BigIntegerField()
    name = models.TextField()
    registered_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user", "relying_party"], name="passkey_by_user")]


class RecoveryCode(models.Model):
    """A code that replaces a lost second factor once (恢复码): a keyed hash; the code itself was shown once."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    code_index = models.BinaryField(max_length=32, unique=True)
    issued_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user", "issued_at"], name="recovery_code_by_user")]


class ApiKey(models.Model):
    """A key under which a partner's system calls (接口密钥): a keyed hash; the key itself was shown once and is not kept."""

    partner = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    name = models.TextField()
    key_index = models.BinaryField(max_length=32, unique=True)
    hint = models.CharField(max_length=4)
    issued_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True) | models.Q(revoked_at__gte=models.F("issued_at")),
                name="api_key_revoked_after_issue",
            )
        ]
        indexes = [models.Index(fields=["partner", "issued_at"], name="api_key_by_partner")]


class SigningKey(models.Model):
    """A partner's public key for signed requests (签名公钥, Ed25519); `valid_to` lets an old one run out beside a new one."""

    partner = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    name = models.TextField()
    key_id = models.CharField(max_length=64, unique=True)
    public_key = models.TextField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["partner", "valid_from"], name="signing_key_by_partner")]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]


class UsedNonce(models.Model):
    """A nonce that was used with a key (已用随机数), kept as long as a signature with it could still be young enough."""

    pk = models.CompositePrimaryKey("key_id", "nonce")
    key_id = models.CharField(max_length=64)
    nonce = models.TextField()
    used_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["used_at"], name="used_nonce_by_age")]
