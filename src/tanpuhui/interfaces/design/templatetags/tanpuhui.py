"""The template library of the identity: `{% load tanpuhui %}`. Filters write figures, tags draw parts.

README.md of this app lists every tag with its parameters; /design/ shows them.
"""

from django import template

from tanpuhui.interfaces.design.tags import citizen, desk, gauges, pages, writing

register = template.Library()
for room in (writing, gauges, citizen, desk, pages):
    register.tags.update(room.register.tags)
    register.filters.update(room.register.filters)
