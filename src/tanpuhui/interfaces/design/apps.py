"""The design app: shells, parts, tags and static files of the three faces."""

from django.apps import AppConfig


class DesignConfig(AppConfig):
    name = "tanpuhui.interfaces.design"
    label = "design"
