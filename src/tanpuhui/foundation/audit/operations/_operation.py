"""`@operation`: durable transaction, repeat, role, lock limit, body, audit, in that order, everywhere."""

from __future__ import annotations

import functools
import hashlib
import inspect
import logging
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import psycopg
from django.db import OperationalError, transaction
from psycopg import errors as postgres_errors
from pydantic import TypeAdapter

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotPermitted, Refusal, StorageFull
from tanpuhui.foundation.keys.queries import blind_index
from tanpuhui.foundation.persistence.locks import Busy, limit_lock_wait, lock_names

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

_running: ContextVar[tuple[str, ...]] = ContextVar("running_operations", default=())
_registered: dict[str, OperationSpec] = {}


class IdempotencyConflict(Refusal):
    """The same key with another body is an error, never a second effect."""

    code = "IDEMPOTENCY_CONFLICT"
    zh = "幂等键 {key} 已经用于另一份内容。请换一个键，或原样重发第一次的内容。"
    en = "The idempotency key {key} was used with another body. Use a new key, or resend the first body unchanged."


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """What the permission table and the tests know of an operation."""

    name: str
    roles: frozenset[Role]
    function: Callable[..., object]


def registered_operations() -> Mapping[str, OperationSpec]:
    """Return every operation that has been imported, by name (`registry.retire_units`)."""
    return dict(_registered)


def operation(
    *, roles: frozenset[Role] | set[Role], subject: str
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a keyword-only function into an operation.

    `roles` may call it (the system always may; an empty set means that any actor may, and the body decides).
    `subject` names what it is about, from the result's attributes: "certificate:{number}". The result is a
    frozen dataclass: it is stored, and given back when the same actor repeats the same key with the same body.
    The outermost operation opens the durable transaction; one that is called inside another joins it.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        name = _name_of(function)
        allowed = frozenset(roles)
        _check_signature(function, name)

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            if args:
                message = f"{name} takes keyword arguments only"
                raise TypeError(message)
            with _write_path(name):
                return _perform(function, name, subject, allowed, kwargs)

        _registered[name] = OperationSpec(name=name, roles=allowed, function=run)
        return run

    return decorate


def _perform(
    function: Callable[..., R], name: str, subject: str, allowed: frozenset[Role], kwargs: dict[str, Any]
) -> R:
    actor = typing.cast(Actor, kwargs["actor"])
    key = typing.cast("str | None", kwargs.get("idempotency_key"))
    digest = _digest(kwargs)
    adapter: TypeAdapter[R] = _result_adapter(function)
    if key is not None:
        lock_names(f"idempotency:{actor.kind}:{actor.id}:{name}:{key}")
        earlier = AuditRecord.objects.filter(
            actor_kind=actor.kind, actor_id=actor.id, operation=name, idempotency_key=key
        ).first()
        if earlier is not None:
            if bytes(earlier.arguments_sha256) != digest:
                raise IdempotencyConflict(key=key)
            return adapter.validate_python(earlier.result)
    if allowed and not actor.roles & (allowed | {Role.SYSTEM}):
        raise NotPermitted(operation=name)
    result = function(**kwargs)
    AuditRecord.objects.create(
        operation=name,
        actor_kind=actor.kind,
        actor_id=actor.id,
        idempotency_key=key,
        arguments_sha256=digest,
        subject=subject.format_map(_Attributes(result)),
        result=adapter.dump_python(result, mode="json"),
        at=kwargs["at"],
        within="/".join(_running.get()[:-1]),
    )
    return result


@contextmanager
def _write_path(name: str) -> Iterator[None]:
    """Open the durable transaction at the outermost call; join it inside; name a lock that was not had in time."""
    outermost = not _running.get()
    token = _running.set((*_running.get(), name))
    try:
        with transaction.atomic(durable=outermost):
            if outermost:
                limit_lock_wait()
            yield
    except (OperationalError, psycopg.OperationalError) as error:
        # The driver's own error comes from a COPY, which Django does not stand around.
        reason = error.__cause__ if isinstance(error, OperationalError) else error
        if isinstance(reason, postgres_errors.LockNotAvailable | postgres_errors.DeadlockDetected):
            raise Busy from error
        if isinstance(reason, postgres_errors.DiskFull):
            logger.warning("%s: %s in %s", StorageFull.code, error, name)  # a task tries again in silence
            raise StorageFull from error
        raise
    finally:
        _running.reset(token)


def _name_of(function: Callable[..., object]) -> str:
    context = function.__module__.split(".operations")[0].split("._")[0].rsplit(".", 1)[-1]
    return f"{context}.{function.__name__}"


def _check_signature(function: Callable[..., object], name: str) -> None:
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is not inspect.Parameter.KEYWORD_ONLY for parameter in parameters.values()):
        message = f"{name}: an operation has keyword-only arguments"
        raise TypeError(message)
    if not {"actor", "at"} <= parameters.keys():
        message = f"{name}: an operation takes `actor` and `at`"
        raise TypeError(message)


@functools.cache
def _result_adapter(function: Callable[..., R]) -> TypeAdapter[R]:
    hints = typing.get_type_hints(function)
    return TypeAdapter(hints["return"])


_ARGUMENTS: TypeAdapter[Any] = TypeAdapter(Any)


def _digest(kwargs: Mapping[str, object]) -> bytes:
    """Hash what makes two calls the same: every argument but who, when and the key itself.

    The hash is keyed, so that a leaked audit row does not let a phone number be guessed.
    """
    body = {name: value for name, value in kwargs.items() if name not in {"actor", "at", "idempotency_key"}}
    plain = {name: hashlib.sha256(v).hexdigest() if isinstance(v, bytes) else v for name, v in body.items()}
    text = _ARGUMENTS.dump_json({name: plain[name] for name in sorted(plain)}).decode()
    return bytes.fromhex(blind_index(text, purpose="audit.arguments"))


class _Attributes(dict[str, object]):
    def __init__(self, result: object) -> None:
        super().__init__()
        self._result = result

    def __missing__(self, name: str) -> object:
        return getattr(self._result, name)
