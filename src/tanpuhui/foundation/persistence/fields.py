"""Columns of the four quantities: bigint in the database, its own type in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models

from tanpuhui.foundation.kernel.quantities import Fen, Grams, Points, Quantity, Tonnes


class QuantityField(models.BigIntegerField):
    """A bigint that is read and written as one kind of quantity, and refuses the others."""

    quantity: ClassVar[type[Quantity]]

    def from_db_value(self, value: int | None, *_: object) -> Quantity | None:
        """Wrap what the database gives."""
        return None if value is None else self.quantity(value)

    def to_python(self, value: Any) -> Quantity | None:
        """Accept the quantity itself, or a whole number as text (fixtures and forms)."""
        if value is None or isinstance(value, self.quantity):
            return value
        return self.quantity(int(value))

    def get_prep_value(self, value: Any) -> int | None:
        """Unwrap the quantity; another type is a mistake in the code and is refused."""
        if value is None:
            return None
        if not isinstance(value, self.quantity):
            message = f"{self.quantity.__name__} expected for {self.name}, not {type(value).__name__}"
            raise TypeError(message)
        return value.value


class GramsField(QuantityField):
    """Grams CO2e."""

    quantity = Grams
    if TYPE_CHECKING:
        _pyi_private_set_type: Grams  # type: ignore[assignment]  # the stubs know ints only
        _pyi_private_get_type: Grams  # type: ignore[assignment]  # the stubs know ints only


class PointsField(QuantityField):
    """Points."""

    quantity = Points
    if TYPE_CHECKING:
        _pyi_private_set_type: Points  # type: ignore[assignment]  # the stubs know ints only
        _pyi_private_get_type: Points  # type: ignore[assignment]  # the stubs know ints only


class TonnesField(QuantityField):
    """Whole tonnes."""

    quantity = Tonnes
    if TYPE_CHECKING:
        _pyi_private_set_type: Tonnes  # type: ignore[assignment]  # the stubs know ints only
        _pyi_private_get_type: Tonnes  # type: ignore[assignment]  # the stubs know ints only


class FenField(QuantityField):
    """Fen."""

    quantity = Fen
    if TYPE_CHECKING:
        _pyi_private_set_type: Fen  # type: ignore[assignment]  # the stubs know ints only
        _pyi_private_get_type: Fen  # type: ignore[assignment]  # the stubs know ints only
