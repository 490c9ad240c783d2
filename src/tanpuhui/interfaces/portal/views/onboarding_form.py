"""The form of an application to bring an organisation in (入驻申请表)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from tanpuhui.foundation.identity.operations import AuthorisedPerson, OrganisationFacts, OrganisationKind
from tanpuhui.foundation.identity.queries import ROLES_OF_KIND, SCHEME_BODIES
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.rulebook.queries import jurisdiction, regions
from tanpuhui.interfaces.design.organisations import work_name
from tanpuhui.interfaces.portal.navigation import worded

PEOPLE_SHOWN = 3
DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
AT_PERSON = {name: f"person1_{name}" for name in ("phone", "username", "roles")} | {
    "person_name": "person1_name",
    "people": "person1_name",
}
"""Where the form shows what is wrong with one of the people."""
SCAN = {"accept": ".pdf,.jpg,.jpeg,.png"}


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """A titled part of the form."""

    title: str
    fields: list[forms.BoundField]
    note: str = ""


class ApplicationForm(forms.Form):
    """An organisation, its contract, its documents and up to three people; `kind` says which roles there are."""

    name = forms.CharField(
        label=gettext_lazy("机构名称"), max_length=200, help_text=gettext_lazy("与证照一致。")
    )
    name_en = forms.CharField(label=gettext_lazy("英文名称"), max_length=200)
    uscc = forms.CharField(
        label=gettext_lazy("统一社会信用代码"),
        max_length=18,
        min_length=18,
        help_text=gettext_lazy("18 位，按 GB 32100 核对校验位。农村集体经济组织以 N 开头的代码也可以。"),
    )
    area = forms.ChoiceField(
        label=gettext_lazy("所在地"), help_text=gettext_lazy("由当地的分中心受理；业务遍及全省的选全省。")
    )
    contract_number = forms.CharField(label=gettext_lazy("合同或协议编号"), max_length=200)
    contract_from = forms.DateField(label=gettext_lazy("合同起日"), widget=DAY)
    contract_to = forms.DateField(
        label=gettext_lazy("合同止日（含当天）"),
        widget=DAY,
        help_text=gettext_lazy("到期后本机构人员的权限自动停用，续签后恢复。"),
    )
    licence = forms.FileField(
        label=gettext_lazy("证照扫描件"),
        widget=forms.FileInput(attrs=SCAN),
        help_text=gettext_lazy("营业执照、法人证书或登记证。PDF、JPG 或 PNG，不超过 10 MB。"),
    )
    authorisation = forms.FileField(
        label=gettext_lazy("授权书扫描件"),
        widget=forms.FileInput(attrs=SCAN),
        help_text=gettext_lazy("写明授权哪些人使用平台，盖章。"),
    )

    def __init__(self, *args: Any, kind: OrganisationKind, correcting: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        place = jurisdiction()
        self._choose(
            "area",
            [
                (place.area, worded(place.name_zh, place.name_en)),
                *(
                    (region.code, worded(region.name_zh, region.name_en))
                    for region in regions(level="city", parent=place.area)
                ),
            ],
        )
        for number in range(1, PEOPLE_SHOWN + 1):
            self._add_person(number)
        if correcting:
            for name in ("licence", "authorisation"):
                self.fields[name].required = False
            self.fields["area"].disabled = True
            self.fields["opinion"] = forms.CharField(
                label=gettext_lazy("改了什么"), widget=forms.Textarea, max_length=1000
            )

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    def _add_person(self, number: int) -> None:
        required = number == 1
        self.fields[f"person{number}_name"] = forms.CharField(
            label=gettext_lazy("姓名"), max_length=200, required=required
        )
        self.fields[f"person{number}_phone"] = forms.CharField(
            label=gettext_lazy("手机号"),
            max_length=20,
            required=required,
            widget=forms.TextInput(attrs={"inputmode": "numeric"}),
            help_text=gettext_lazy("入驻后激活码发到这里。") if required else "",
        )
        self.fields[f"person{number}_username"] = forms.CharField(
            label=gettext_lazy("登录用户名"),
            max_length=40,
            required=required,
            widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
            help_text=gettext_lazy("4 位以上，字母开头，可用小写字母、数字和 . _ -") if required else "",
        )
        if self.kind not in SCHEME_BODIES:
            self.fields[f"person{number}_roles"] = forms.MultipleChoiceField(
                label=gettext_lazy("做什么"),
                required=required,
                widget=forms.CheckboxSelectMultiple,
                choices=[(role.value, work_name(role)) for role in _roles(self.kind)],
            )

    def groups(self) -> Iterator[FieldGroup]:
        """Yield the parts of the form in the order in which people fill them."""
        yield FieldGroup(gettext("机构"), [self[name] for name in ("name", "name_en", "uscc", "area")])
        yield FieldGroup(
            gettext("合同"), [self[name] for name in ("contract_number", "contract_from", "contract_to")]
        )
        yield FieldGroup(gettext("材料"), [self[name] for name in ("licence", "authorisation")])
        for number in range(1, PEOPLE_SHOWN + 1):
            names = [f"person{number}_{what}" for what in ("name", "phone", "username", "roles")]
            yield FieldGroup(
                gettext("授权人员 %(n)s") % {"n": number},
                [self[name] for name in names if name in self.fields],
                gettext("至少一位机构管理员和一位业务人员，可以是同一人。") if number == 1 else "",
            )
        if "opinion" in self.fields:
            yield FieldGroup(gettext("说明"), [self["opinion"]])

    def show(self, refusal: Invalid) -> bool:
        """Write a refusal at the field it is about; say whether there is one."""
        about = str(refusal.data["field"])
        name = AT_PERSON.get(about, about)
        if name not in self.fields:
            return False
        zh, _, en = str(refusal.data["why"]).partition(" / ")
        self.add_error(name, worded(zh, en))
        return True

    def facts(self) -> OrganisationFacts:
        """Return what the valid form says."""
        given = self.cleaned_data
        people = tuple(
            AuthorisedPerson(
                name=given[f"person{number}_name"],
                phone=given[f"person{number}_phone"],
                username=given[f"person{number}_username"],
                roles=tuple(Role(role) for role in given.get(f"person{number}_roles", [])),
            )
            for number in range(1, PEOPLE_SHOWN + 1)
            if any(given[f"person{number}_{what}"] for what in ("name", "phone", "username"))
        )
        return OrganisationFacts(
            kind=self.kind,
            name=given["name"],
            name_en=given["name_en"],
            uscc=given["uscc"],
            area=given["area"],
            contract_number=given["contract_number"],
            contract_from=given["contract_from"],
            contract_to=given["contract_to"],
            people=people,
        )


def initial_of(facts: OrganisationFacts) -> dict[str, Any]:
    """Return what the form shows of facts that are to be corrected."""
    shown: dict[str, Any] = {
        name: getattr(facts, name)
        for name in ("name", "name_en", "uscc", "area", "contract_number", "contract_from", "contract_to")
    }
    for number, person in enumerate(facts.people, start=1):
        shown |= {
            f"person{number}_name": person.name,
            f"person{number}_phone": person.phone,
            f"person{number}_username": person.username,
            f"person{number}_roles": [role.value for role in person.roles],
        }
    return shown


def _roles(kind: OrganisationKind) -> list[Role]:
    """Return the roles of a kind, the administrator's last."""
    return sorted(ROLES_OF_KIND[kind], key=lambda role: (role is Role.ADMINISTRATOR, role.value))
