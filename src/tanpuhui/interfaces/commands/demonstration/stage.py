"""What every act of the story shares: the cast, the days, who is who, and keys that let a broken-off run go on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.interfaces.commands.demonstration.cast import Cast
from tanpuhui.interfaces.commands.demonstration.people import Citizen


@dataclass(kw_only=True)
class Stage:
    """The story so far. Ids are found again by repeating the operations with the same keys."""

    cast: Cast
    folder: Path
    methodologies: Path
    today: date
    password: str
    organisation_ids: dict[str, int] = field(default_factory=dict)
    user_ids: dict[str, int] = field(default_factory=dict)
    citizens: tuple[Citizen, ...] = ()
    citizen_ids: tuple[int, ...] = ()

    @property
    def first_day(self) -> date:
        """Return the first day of behaviours."""
        return self.today - timedelta(days=self.cast.days)

    def moment(self, day: date, hour: int = 10, minute: int = 0) -> datetime:
        """Return a moment of a day in the scheme's time zone."""
        return datetime.combine(day, time(hour, minute), tzinfo=CHINA)

    def entering(self) -> datetime:
        """Return the moment at which the organisations enter: two months before the first behaviour, for reviews and notices."""
        return self.moment(self.first_day - timedelta(days=60), 9)

    def founding(self) -> datetime:
        """Return the moment at which scenarios are applied for: the methodologies are filed, and their own notices fit in."""
        return self.moment(self.first_day - timedelta(days=21), 9)

    def key(self, *names: object) -> str:
        """Return the idempotency key of one act: the same in every run of the same story."""
        return "demonstration:" + ":".join(str(name) for name in names)

    def actor(self, username: str, at: datetime) -> Actor:
        """Return somebody of an organisation as they may act at a moment."""
        return actor_of(user_id=self.user_ids[username], at=at)

    def citizen(self, number: int, at: datetime) -> Actor:
        """Return a citizen as they may act at a moment."""
        return actor_of(user_id=self.citizen_ids[number], at=at)

    def player(self, key: str, place: int = 0) -> str:
        """Return the user name of an organisation's person."""
        return self.cast.troupe(key).players[place].username

    def with_role(self, kind: str, role: str) -> str:
        """Return the user name of the first person with a role in an organisation of a kind."""
        return next(
            player.username
            for troupe in self.cast.of_kind(kind)
            for player in troupe.players
            if player.role == role
        )
