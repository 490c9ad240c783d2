"""Posting a batch, step by step: read, validate, resolve, calculate, once, cap, book, write, report."""

from tanpuhui.behaviour.activity.operations._post_batch._post import BatchPosted, post_batch

__all__ = ["BatchPosted", "post_batch"]
