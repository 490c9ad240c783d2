"""Scenario applications (场景申请): list, begin, edit, submit; what an applicant sees of the way to going live."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import (
    APPLICANTS,
    ApplicationSaved,
    discard_application,
    open_application,
    save_application,
    submit_application,
)
from tanpuhui.behaviour.activity.queries import ApplicationView
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.design.scenario_words import class_name
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.application_form import (
    BeginForm,
    EditForm,
    begun,
    column_rows,
    edited,
    fields_of_post,
    initial_of,
)
from tanpuhui.interfaces.workbench.application_sheet import application_context
from tanpuhui.interfaces.workbench.docking_words import application_state
from tanpuhui.interfaces.workbench.navigation import own_organisations, page
from tanpuhui.interfaces.workbench.parts import Section, Way, at_moment, state_mark
from tanpuhui.interfaces.workbench.routes import ROUTES
from tanpuhui.interfaces.workbench.sight import application_in_sight, applications_in_sight
from tanpuhui.interfaces.workbench.words import worded

EDITABLE = frozenset({"draft", "returned"})


@require_safe
def applications(request: HttpRequest) -> HttpResponse:
    """List the applications in sight, newest first."""
    actor = who(request)
    names = {view.id: worded(view.name, view.name_en) for view in organisations()}
    classes = activity.scenario_classes(at=timezone.now())
    section = Section(
        columns=(
            Column(gettext("场景")),
            Column(gettext("类别")),
            Column(gettext("申请单位"), "soft"),
            Column(gettext("状态")),
            Column(gettext("办件"), "soft"),
            Column(gettext("保存"), "soft"),
        ),
        rows=[
            Row(
                (
                    worded(view.content.name_zh, view.content.name_en) or gettext("未命名"),
                    class_name(view.content.scenario_class, classes),
                    names.get(view.organisation_id, ""),
                    state_mark(application_state(view.state)),
                    _step(view),
                    at_moment(view.saved_at),
                ),
                url=reverse("workbench:application", args=[view.id]),
            )
            for view in applications_in_sight(actor)
        ],
        empty=gettext("还没有场景申请。"),
        empty_next=gettext("数据伙伴、项目业主或运营中心提出申请，在沙箱里对接数据，评估和公示以后上线。"),
    )
    ways = []
    if ROUTES["new-application"].allows(actor):
        ways = [Way(label=gettext("申请场景"), url=reverse("workbench:new-application"), kind="main")]
    context = {
        "title": gettext("场景申请"),
        "lead": gettext("申请、技术对接、评估、公示、上线。样本在沙箱里试算，不入账。"),
        "ways": ways,
        "sections": [section],
    }
    crumbs = (Crumb(gettext("场景申请")),)
    return page(request, "workbench/sheet.html", context, section="applications", crumbs=crumbs)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin an application; its columns are then what the methodology and the format need."""
    actor = who(request)
    own = _own(actor)
    if request.method != "POST":
        return _new_page(request, BeginForm(own=own))
    form = BeginForm(request.POST, own=own)

    def perform(given: Any) -> ApplicationSaved:
        return open_application(
            actor=actor,
            at=timezone.now(),
            organisation_id=given["organisation_id"],
            content=begun(given),
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is not None:
        return see_other("workbench:edit-application", attempt.done.application_id)
    return _new_page(request, form, refused=attempt.refused, status=attempt.status)


@require_safe
def application(request: HttpRequest, application_id: int) -> HttpResponse:
    """Show an application with its samples, versions and what can be done next."""
    actor = who(request)
    view = application_in_sight(actor, application_id)
    case = workflow.case(view.case_id) if view.case_id is not None else None
    context = application_context(view, downloads=True) | {
        "title": worded(view.content.name_zh, view.content.name_en) or gettext("未命名"),
        "state": application_state(view.state),
        "case": case,
        "case_state": worded(case.state_zh, case.state_en) if case else "",
        "mine": applies_for(actor, view),
        "editable": view.state in EDITABLE and applies_for(actor, view),
        "may_try": may_try(actor, view),
        "mapped": view.content.adapter == activity.MAPPED,
        "versions": _versions(view),
    }
    return page(
        request, "workbench/application.html", context, section="applications", crumbs=crumbs_of(view)
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, application_id: int) -> HttpResponse:
    """Edit a draft or a returned application; every save is a version of its own."""
    view = application_in_sight(who(request), application_id)
    if request.method != "POST":
        return _edit_page(request, view, EditForm(initial=initial_of(view.content)))
    form = EditForm(request.POST)

    def perform(given: Any) -> ApplicationSaved:
        return save_application(
            actor=who(request),
            at=timezone.now(),
            application_id=application_id,
            version=int(request.POST.get("version", "0")),
            content=edited(view.content, given, fields_of_post(request.POST)),
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _edit_page(request, view, form, refused=attempt.refused, status=attempt.status)
    messages.success(request, gettext("已保存为第 %(n)s 版。") % {"n": attempt.done.version})
    return see_other("workbench:application", application_id)


@require_POST
def submit(request: HttpRequest, application_id: int) -> HttpResponse:
    """Submit a complete draft; what is missing is answered by name."""
    view = application_in_sight(who(request), application_id)
    done = submit_application(
        actor=who(request),
        at=timezone.now(),
        application_id=view.id,
        version=view.version,
        idempotency_key=key_of(request),
    )
    messages.success(request, gettext("已提交，办件 %(number)s。") % {"number": done.number})
    return see_other("workbench:application", application_id)


@require_POST
def discard(request: HttpRequest, application_id: int) -> HttpResponse:
    """Give up a draft; it stays on record."""
    view = application_in_sight(who(request), application_id)
    discard_application(
        actor=who(request),
        at=timezone.now(),
        application_id=view.id,
        version=view.version,
        idempotency_key=key_of(request),
    )
    messages.success(request, gettext("已放弃这份草稿，留存备查。"))
    return see_other("workbench:applications")


def applies_for(actor: Actor, view: ApplicationView) -> bool:
    """Say whether the actor works for the applicant."""
    return actor.has(*APPLICANTS, organisation_id=view.organisation_id)


def may_try(actor: Actor, view: ApplicationView) -> bool:
    """Say whether the actor can try a sample now."""
    return ROUTES["docking"].allows(actor) and activity.sample_can_be_tried(view.state, view.content)


def crumbs_of(view: ApplicationView, *more: Crumb) -> tuple[Crumb, ...]:
    """Return the way to an application, and on."""
    name = worded(view.content.name_zh, view.content.name_en) or gettext("未命名")
    own = Crumb(name, reverse("workbench:application", args=[view.id])) if more else Crumb(name)
    return (Crumb(gettext("场景申请"), reverse("workbench:applications")), own, *more)


def _own(actor: Actor) -> dict[int, str]:
    ids = set(actor.organisation_ids(*APPLICANTS))
    return {one.id: worded(one.name, one.name_en) for one in own_organisations(actor) if one.id in ids}


def _step(view: ApplicationView) -> str:
    if view.case_id is None:
        return ""
    case = workflow.case(view.case_id)
    return f"{case.number} {worded(case.state_zh, case.state_en)}"


def _versions(view: ApplicationView) -> Section:
    rows = [
        Row(
            (
                gettext("第 %(n)s 版") % {"n": one.version},
                at_moment(one.saved_at),
                workflow.actor_name(kind=one.saved_by_kind, id=one.saved_by_id),
                one.content_sha256[:16],
            )
        )
        for one in activity.application_versions(view.id)
    ]
    return Section(
        title=gettext("版本"),
        columns=(
            Column(gettext("版本")),
            Column(gettext("保存"), "soft"),
            Column(gettext("保存人")),
            Column("SHA-256", "mono"),
        ),
        rows=rows,
    )


def _new_page(
    request: HttpRequest, form: BeginForm, *, refused: Refusal | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "title": gettext("申请场景"),
        "lead": gettext("先说明场景和数据从哪里来。下一步按方法学列出要报送的列，可以随时保存。"),
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("下一步")},
        "back": reverse("workbench:applications"),
    }
    crumbs = (Crumb(gettext("场景申请"), reverse("workbench:applications")), Crumb(gettext("申请场景")))
    return page(request, "workbench/form.html", context, section="applications", crumbs=crumbs, status=status)


def _edit_page(
    request: HttpRequest,
    view: ApplicationView,
    form: EditForm,
    *,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    posted = request.method == "POST"
    fields = fields_of_post(request.POST) if posted else view.content.fields
    context = {
        "title": gettext("填写申请"),
        "application": view,
        "form": form,
        "rows": column_rows(fields),
        "refused": refused,
        "facts": [Fact(gettext("版本"), gettext("第 %(n)s 版") % {"n": view.version})],
    }
    crumbs = crumbs_of(view, Crumb(gettext("填写申请")))
    return page(
        request, "workbench/application_form.html", context, section="applications", crumbs=crumbs, status=status
    )  # fmt: skip
