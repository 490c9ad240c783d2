"""Installs the wiring once Django is ready."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "tanpuhui.config"
    label = "config"

    def ready(self) -> None:
        """Connect outcomes to operations and events to tasks."""
        from tanpuhui.config import wiring

        wiring.install()
