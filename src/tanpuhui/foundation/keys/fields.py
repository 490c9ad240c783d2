"""Columns whose text is sealed (加密字段): bytea in the database, text in Python."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldError
from django.db import models

from tanpuhui.foundation.keys.queries import seal, unseal


class EncryptedTextField(models.BinaryField):
    """Text that only the platform can read. Find rows by a blind index in a column beside it.

    `context` is the column's lasting name (`identity.person_phone`); it is part of what is authenticated, so that a
    value copied into another column does not open, and so it must outlive a rename of the model or the field.
    """

    def __init__(self, *args: Any, context: str, **kwargs: Any) -> None:
        self.context = context
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Carry the context into migrations."""
        name, path, args, kwargs = super().deconstruct()
        return str(name), path, list(args), {**kwargs, "context": self.context}

    def from_db_value(self, value: Any, *_: object) -> str | None:
        """Open what the database gives."""
        return None if value is None else unseal(bytes(value), context=self.context)

    def to_python(self, value: Any) -> Any:
        """Leave text as it is."""
        return value

    def get_prep_value(self, value: Any) -> bytes | None:
        """Seal text; anything else is a mistake in the code and is refused."""
        if value is None:
            return None
        if not isinstance(value, str):
            message = f"text expected for {self.name}, not {type(value).__name__}"
            raise TypeError(message)
        return seal(value, context=self.context)

    def get_lookup(self, lookup_name: str) -> Any:
        """Allow only `isnull`: two seals of one text differ, so no comparison could ever find a row."""
        if lookup_name != "isnull":
            message = f"{self.name} is sealed; look rows up by its blind index"
            raise FieldError(message)
        return super().get_lookup(lookup_name)

    def value_to_string(self, obj: models.Model) -> str:  # noqa: ARG002
        """Refuse to leave the platform in a fixture."""
        message = f"{self.name} is sealed and is not serialised"
        raise TypeError(message)
