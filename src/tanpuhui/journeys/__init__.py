"""Flows that span sibling contexts. sweep_pool: a month's pool becomes the monitoring report of its project."""

from tanpuhui.journeys._sweep_pool import PoolSwept, sweep_pool

__all__ = ["PoolSwept", "sweep_pool"]
