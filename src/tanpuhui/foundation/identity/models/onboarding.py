"""How an organisation and its people come in (入驻申请、合同、激活码)."""

from __future__ import annotations

from django.db import models

from tanpuhui.foundation.keys.fields import EncryptedTextField


class OrganisationApplication(models.Model):
    """An application to bring an organisation in (入驻申请). Who is to sign in for it is sealed: names, phones, user names.

    `closed_at` is when its case ended: admitted (then `organisation` is set), rejected or withdrawn.
    """

    applicant = models.ForeignKey("identity.User", on_delete=models.PROTECT)
    kind = models.TextField()
    name = models.TextField()
    name_en = models.TextField()
    uscc = models.CharField(max_length=18)
    area = models.CharField(max_length=6)
    contract_number = models.TextField()
    contract_from = models.DateField()
    contract_to = models.DateField()
    people = EncryptedTextField(context="identity.application_people")
    submitted_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    organisation = models.ForeignKey("identity.Organisation", null=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["uscc"], condition=models.Q(closed_at__isnull=True), name="application_one_running"
            ),
            models.CheckConstraint(
                condition=models.Q(contract_to__gte=models.F("contract_from")),
                name="application_contract_ends_after_it_begins",
            ),
        ]
        indexes = [models.Index(fields=["applicant", "submitted_at"], name="application_by_applicant")]


class OrganisationContract(models.Model):
    """A contract with an outside organisation (合同), first and last day included; without one in force its roles rest."""

    organisation = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    number = models.TextField()
    valid_from = models.DateField()
    valid_to = models.DateField()
    agreed_at = models.DateTimeField()
    warned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="contract_once"),
            models.CheckConstraint(
                condition=models.Q(valid_to__gte=models.F("valid_from")),
                name="contract_ends_after_it_begins",
            ),
        ]
        indexes = [models.Index(fields=["valid_to"], name="contract_by_end")]


class Invitation(models.Model):
    """An activation code sent to a new person's phone (激活码): a keyed hash of user name and code."""

    user = models.ForeignKey("identity.User", on_delete=models.PROTECT)
    code_index = models.BinaryField(max_length=32)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries_left = models.SmallIntegerField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tries_left__gte=0), name="invitation_tries_not_negative"
            )
        ]
        indexes = [models.Index(fields=["user", "issued_at"], name="invitation_by_user")]
