"""Settling a day (日结算): records of several partners are compared, the best of each activity is posted."""

from tanpuhui.behaviour.activity.operations._settle_day._settle import DaySettled, settle_day

__all__ = ["DaySettled", "settle_day"]
