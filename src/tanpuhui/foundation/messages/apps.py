from __future__ import annotations

from django.apps import AppConfig


class MessagesConfig(AppConfig):
    """The room of messages; Django's own flash messages have its short name already."""

    name = "tanpuhui.foundation.messages"
    label = "messaging"
