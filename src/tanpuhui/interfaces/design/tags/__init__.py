"""The tags and filters of `{% load tanpuhui %}`, by where they are used; templatetags/tanpuhui.py joins them."""
