"""The verbs of intake.

Errors: NotPermitted, NotFound, Invalid, AdapterUnknown, FeedClosed, BatchNotFound, IdempotencyConflict,
ParameterUnset, Busy.
"""

from tanpuhui.behaviour.activity.operations._open_scenario import (
    FeedOpened,
    ScenarioOpened,
    open_feed,
    open_scenario,
)
from tanpuhui.behaviour.activity.operations._post_batch import BatchPosted, post_batch
from tanpuhui.behaviour.activity.operations._receive_batch import BatchReceived, file_batch, receive_batch

__all__ = [
    "BatchPosted",
    "BatchReceived",
    "FeedOpened",
    "ScenarioOpened",
    "file_batch",
    "open_feed",
    "open_scenario",
    "post_batch",
    "receive_batch",
]
