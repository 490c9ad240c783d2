"""Bringing an organisation in (机构入驻): apply, follow one's application, correct it, and set a first password."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import SecretStr

from tanpuhui import journeys
from tanpuhui.foundation.identity.operations import OrganisationKind, activate
from tanpuhui.foundation.identity.queries import ApplicationView, applications_of
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted, Refusal
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.foundation.workflow.queries import CaseView
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.access.signing_in import client_address
from tanpuhui.interfaces.design.organisations import kind_about, kind_name
from tanpuhui.interfaces.design.parts import Crumb, Fact, TimelineEntry
from tanpuhui.interfaces.portal.navigation import page, worded
from tanpuhui.interfaces.portal.views.onboarding_form import ApplicationForm, initial_of

OFFERED = (
    OrganisationKind.PARTNER,
    OrganisationKind.OWNER,
    OrganisationKind.MERCHANT,
    OrganisationKind.BUYER,
    OrganisationKind.VERIFIER,
    OrganisationKind.EXPERT_BODY,
    OrganisationKind.PILOT_AREA,
    OrganisationKind.SUBCENTRE,
    OrganisationKind.REGULATOR,
)
TONES = {"admitted": "ok", "returned": "bad", "rejected": "bad"}
STEPPED_BACK = {"returned", "rejected", "withdrawn"}


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Say how an organisation comes in, offer the kinds, and list the person's own applications."""
    actor = getattr(request, "actor", None)
    own = []
    if actor is not None and Role.CITIZEN in actor.roles:
        own = [(view, *_state(journeys.case_of(view.id))) for view in applications_of(int(actor.id))]
    context = {
        "kinds": [(kind.value, kind_name(kind), kind_about(kind)) for kind in OFFERED],
        "own": own,
    }
    return page(request, "portal/onboarding.html", context, crumbs=(Crumb(gettext("机构入驻")),))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def apply(request: HttpRequest, kind: str) -> HttpResponse:
    """Take an application for an organisation of a kind."""
    wanted = _kind(kind)
    if request.method != "POST":
        return _form_page(request, ApplicationForm(kind=wanted))
    form = ApplicationForm(request.POST, request.FILES, kind=wanted)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    try:
        applied = journeys.apply_for_organisation(
            actor=_who(request),
            at=timezone.now(),
            facts=form.facts(),
            **_documents(request),
            idempotency_key=_key(request),
        )
    except Refusal as refusal:
        return _form_page(request, form, refused=_beside(form, refusal), status=status_of(refusal.code))
    messages.success(request, gettext("已提交，办件号 %(number)s。") % {"number": applied.case_number})
    return _see_other("portal:onboarding-application", applied.application_id)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def application(request: HttpRequest, application_id: int) -> HttpResponse:
    """Show the person's own application; a POST answers a return with corrections, or withdraws."""
    actor = _who(request)
    view = journeys.own_application(actor, application_id)
    case = journeys.case_of(application_id)
    if request.method != "POST":
        return _application_page(request, view, case)
    if "withdraw" in request.POST:
        return _withdraw(request, view, case)
    form = ApplicationForm(
        request.POST, request.FILES, kind=view.facts.kind, correcting=True, initial={"area": view.facts.area}
    )
    if not form.is_valid():
        return _application_page(request, view, case, form=form, status=422)
    try:
        journeys.resubmit_application(
            actor=actor,
            at=timezone.now(),
            application_id=application_id,
            facts=form.facts(),
            opinion=form.cleaned_data["opinion"],
            **_documents(request),
            idempotency_key=_key(request),
        )
    except Refusal as refusal:
        return _application_page(
            request, view, case, form=form, refused=_beside(form, refusal), status=status_of(refusal.code)
        )
    messages.success(request, gettext("已重新提交。"))
    return _see_other("portal:onboarding-application", application_id)


@sensitive_post_parameters("code", "password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def set_first_password(request: HttpRequest) -> HttpResponse:
    """Let a new person set their password with the activation code on their phone; then they sign in."""
    if request.method != "POST":
        return _activation_page(request)
    username, password = request.POST.get("username", ""), request.POST.get("password", "")
    try:
        if password != request.POST.get("again", ""):
            raise Invalid(field="password", why="两次输入的密码不一样 / the two passwords differ")
        activate(
            username=username,
            code=request.POST.get("code", ""),
            password=SecretStr(password),
            ip=client_address(request),
            at=timezone.now(),
        )
    except Refusal as refusal:
        return _activation_page(request, refused=refusal, username=username)
    messages.success(request, gettext("密码已设置，请登录。"))
    return _see_other("portal:sign-in")


def _withdraw(request: HttpRequest, view: ApplicationView, case: CaseView) -> HttpResponse:
    try:
        decide(
            actor=_who(request),
            at=timezone.now(),
            idempotency_key=_key(request),
            case_id=case.case_id,
            outcome="withdraw",
            opinion=request.POST.get("reason", ""),
        )
    except Refusal as refusal:
        return _application_page(request, view, case, refused=refusal, status=status_of(refusal.code))
    messages.success(request, gettext("申请已撤回。"))
    return _see_other("portal:onboarding-application", view.id)


def _who(request: HttpRequest) -> Actor:
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        raise NotPermitted(operation=request.path)
    return actor


def _beside(form: ApplicationForm, refusal: Refusal) -> Refusal | None:
    """Write a refusal at the field that it is about and return nothing, or return it to be shown above the form."""
    return None if isinstance(refusal, Invalid) and form.show(refusal) else refusal


def _key(request: HttpRequest) -> str:
    key = request.POST.get("idempotency_key", "").strip()
    if not key or len(key) > 100:
        raise Invalid(field="idempotency_key", why="表单不完整，请重新打开页面 / reopen the page")
    return key


def _kind(kind: str) -> OrganisationKind:
    if kind not in OFFERED:
        raise Http404
    return OrganisationKind(kind)


def _documents(request: HttpRequest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in ("licence", "authorisation"):
        upload = request.FILES.get(kind)
        if upload is not None:
            found |= {kind: upload.read(), f"{kind}_name": upload.name}
    return found


def _see_other(name: str, *args: object) -> HttpResponse:
    response = redirect(reverse(name, args=args))
    response.status_code = 303
    return response


def _state(case: CaseView) -> tuple[str, str, CaseView]:
    tone = TONES.get(case.state, "" if case.closed_at else "wait")
    return tone, worded(case.state_zh, case.state_en), case


def _form_page(
    request: HttpRequest, form: ApplicationForm, *, refused: Refusal | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "groups": list(form.groups()), "kind": kind_name(form.kind), "refused": refused}
    crumbs = (Crumb(gettext("机构入驻"), reverse("portal:onboarding")), Crumb(kind_name(form.kind)))
    return page(request, "portal/onboarding_apply.html", context, crumbs=crumbs, status=status)


def _application_page(
    request: HttpRequest,
    view: ApplicationView,
    case: CaseView,
    *,
    form: ApplicationForm | None = None,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    tone, words, _ = _state(case)
    facts = view.facts
    if form is None and case.state == "returned":
        form = ApplicationForm(kind=facts.kind, correcting=True, initial=initial_of(facts))
    context = {
        "view": view,
        "case": case,
        "state": (tone, words),
        "facts": [
            Fact(gettext("机构类型"), kind_name(facts.kind)),
            Fact(gettext("统一社会信用代码"), facts.uscc, mono=True),
            Fact(gettext("合同"), f"{facts.contract_number}，{facts.contract_from} – {facts.contract_to}"),
            Fact(gettext("授权人员"), "、".join(person.name for person in facts.people)),
        ],
        "timeline": [
            TimelineEntry(
                title=worded(line.label_zh, line.label_en),
                at=line.at,
                who=gettext("本人") if line.actor_id == str(view.applicant_id) else gettext("运营中心"),
                opinion=line.opinion,
                tone="" if line.step == 0 else "bad" if line.to_state in STEPPED_BACK else "ok",
            )
            for line in reversed(workflow.timeline(case.case_id))
        ],
        "form": form,
        "groups": list(form.groups()) if form else [],
        "refused": refused,
        "today": business_day(timezone.now()),
    }
    crumbs = (Crumb(gettext("机构入驻"), reverse("portal:onboarding")), Crumb(facts.name))
    return page(request, "portal/onboarding_application.html", context, crumbs=crumbs, status=status)


def _activation_page(
    request: HttpRequest, *, refused: Refusal | None = None, username: str = ""
) -> HttpResponse:
    context = {"refused": refused, "username": username or request.GET.get("username", "")}
    status = status_of(refused.code) if refused else 200
    return page(request, "portal/activate.html", context, crumbs=(Crumb(gettext("设置密码")),), status=status)
