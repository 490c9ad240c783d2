"""What the centre fills in for a panel: the draw, an exclusion, a meeting, its minutes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.interfaces.design.review_words import field_choices
from tanpuhui.interfaces.workbench.acting import set_choices
from tanpuhui.science.methodology.queries import PanelView

TERM_WORDS: Mapping[str, Any] = {
    "seats": gettext_lazy("席位"),
    "quorum": gettext_lazy("法定人数"),
    "recommend_share": gettext_lazy("推荐所需的比例，如 2/3"),
    "reject_share": gettext_lazy("不予推荐所需的比例，如 1/2"),
}
TERM_KEYS = {
    "seats": "methodology.panel_seats",
    "quorum": "methodology.panel_quorum",
    "recommend_share": "methodology.recommend_share",
    "reject_share": "methodology.reject_share",
}


def unset_terms(at: datetime) -> tuple[str, ...]:
    """Return what no rule sets of a panel, so that the person who draws says it."""
    return tuple(name for name, key in TERM_KEYS.items() if rulebook.parameter(key=key, at=at).value is None)


class DrawForm(forms.Form):
    """Fields of expertise, and what no rule sets."""

    fields_ = forms.MultipleChoiceField(
        label=gettext_lazy("专业领域"), widget=forms.CheckboxSelectMultiple, help_text=gettext_lazy("符合其中一项即可入选。")
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "fields_", field_choices())
        self.unset = unset_terms(timezone.now())
        for name in self.unset:
            self.fields[name] = forms.CharField(label=TERM_WORDS[name], max_length=20)
        if self.unset:
            self.fields["reason"] = forms.CharField(
                label=gettext("取值的理由"),
                max_length=1000,
                widget=forms.Textarea(attrs={"rows": 2}),
                help_text=gettext("规则没有设定上面几项，由您决定，理由随专家组公布。"),
            )

    def terms(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the terms as the operation takes them; counts that are none are refused there."""
        found = {name: given[name] for name in (*self.unset, *(("reason",) if self.unset else ()))}
        for name in ("seats", "quorum"):
            if name in found:
                found[name] = int(found[name]) if str(found[name]).isdecimal() else 0
        return found


class ExclusionForm(forms.Form):
    """Whom to take off the panel, and why."""

    expert = forms.TypedChoiceField(label=gettext_lazy("专家"), coerce=int)
    reason = forms.CharField(
        label=gettext_lazy("利害关系和依据"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, panel: PanelView, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "expert", [(str(one.expert_number), one.name) for one in panel.sitting])


class MeetingForm(forms.Form):
    """When and where the panel met, and who was there."""

    held_at = forms.DateTimeField(
        label=gettext_lazy("时间"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    place = forms.CharField(label=gettext_lazy("地点"), max_length=200)
    agenda = forms.CharField(
        label=gettext_lazy("议程"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    present = forms.TypedMultipleChoiceField(
        label=gettext_lazy("到会专家"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    chair = forms.TypedChoiceField(label=gettext_lazy("主持人"), coerce=int)

    def __init__(self, *args: Any, panel: PanelView, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(str(one.expert_number), one.name) for one in panel.declared]
        set_choices(self, "present", names)
        set_choices(self, "chair", names)


class MinutesForm(forms.Form):
    """The minutes of a meeting."""

    minutes = forms.FileField(
        label=gettext_lazy("会议纪要"), help_text=gettext_lazy("20 MB 以内；签署以前可以换。")
    )
