"""The sandbox (沙箱): a sample goes the way of a batch up to the grams, and nothing is booked."""

from tanpuhui.behaviour.activity.operations._sandbox._accept import SampleAccepted, accept_sample
from tanpuhui.behaviour.activity.operations._sandbox._erase import (
    SampleErased,
    SamplesErased,
    erase_due_samples,
    erase_sample,
)
from tanpuhui.behaviour.activity.operations._sandbox._try import SampleTried, try_sample

__all__ = [
    "SampleAccepted",
    "SampleErased",
    "SampleTried",
    "SamplesErased",
    "accept_sample",
    "erase_due_samples",
    "erase_sample",
    "try_sample",
]
