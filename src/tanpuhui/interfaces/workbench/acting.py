"""From a form to one operation: who acts, the form's key, and what is shown when it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted, Refusal
from tanpuhui.interfaces.access.domain import status_of

KEY_LENGTH_MAX = 100
R = TypeVar("R")


def who(request: HttpRequest) -> Actor:
    """Return who acts; the permission table lets nobody in who is not signed in."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        raise NotPermitted(operation=request.path)
    return actor


def key_of(request: HttpRequest) -> str:
    """Return the key of this one submission. Raises Invalid where the form brought none."""
    key = request.POST.get("idempotency_key", "").strip()
    if not key or len(key) > KEY_LENGTH_MAX:
        raise Invalid(field="idempotency_key", why="表单不完整，请重新打开页面 / reopen the page")
    return key


def see_other(name: str, *args: object) -> HttpResponse:
    """Lead to a page after something was done (303), so that reloading it does nothing again."""
    response = redirect(reverse(name, args=args))
    response.status_code = 303
    return response


def set_choices(form: forms.Form, name: str, choices: Iterable[tuple[str, str]]) -> None:
    """Give a field of a form what can be chosen now."""
    field = form.fields[name]
    if not isinstance(field, forms.ChoiceField):
        message = f"{name} is no choice"
        raise TypeError(message)
    field.choices = list(choices)


class Attempt(Generic[R]):
    """One try at an operation: what was done, or the refusal to show at the form."""

    def __init__(self, form: forms.Form, perform: Callable[[Mapping[str, Any]], R]) -> None:
        self.done: R | None = None
        self.refused: Refusal | None = None
        self._valid = form.is_valid()
        if not self._valid:
            return
        try:
            self.done = perform(form.cleaned_data)
        except Refusal as refusal:
            self.refused = refusal

    @property
    def status(self) -> int:
        """Return the HTTP status of the page that shows the form again."""
        if self.refused is not None:
            return status_of(self.refused.code)
        return 200 if self._valid else 422
