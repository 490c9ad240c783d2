"""Measurements that print ratios against a floor of the same run; see README.md."""
