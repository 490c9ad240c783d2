"""Templates keep the strict content policy: no inline style, no inline script, no handler attribute."""

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "tanpuhui"
TEMPLATES = sorted(SOURCE.rglob("templates/**/*.html"))
COMMENT = re.compile(r"\{% comment .*?%\}.*?\{% endcomment %\}|\{#.*?#\}|<!--.*?-->", re.DOTALL)
TAGS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
STYLE_ATTRIBUTE = re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE)
HANDLER = re.compile(r"<[^>]*\s(?:on[a-z]+|hx-on[:\w-]*)\s*=", re.IGNORECASE)
STYLE_ELEMENT = re.compile(r"<style\b", re.IGNORECASE)
SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.IGNORECASE | re.DOTALL)
JAVASCRIPT_ADDRESS = re.compile(r"""(?:href|src|action)\s*=\s*["']?\s*javascript:""", re.IGNORECASE)
FOREIGN_ASSET = re.compile(
    r"""<(?:script|link|img|iframe|use)\b[^>]*(?:src|href)\s*=\s*["'](?:https?:)?//""", re.IGNORECASE
)


def faults_in(text: str) -> list[str]:
    """Name everything in a template that the content policy would block."""
    text = TAGS.sub("", COMMENT.sub("", text))
    faults = [
        name
        for name, pattern in (
            ("style attribute", STYLE_ATTRIBUTE),
            ("handler attribute", HANDLER),
            ("style element", STYLE_ELEMENT),
            ("javascript: address", JAVASCRIPT_ADDRESS),
            ("asset of another site", FOREIGN_ASSET),
        )
        if pattern.search(text)
    ]
    faults += [
        "inline script"
        for attributes, body in SCRIPT.findall(text)
        if "src=" not in attributes or body.strip()
    ]
    return faults


def test_there_are_templates_to_look_at():
    assert len(TEMPLATES) > 40


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_template_has_nothing_inline(template):
    assert faults_in(template.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('<p class="a" style="width: 3px">', "style attribute"),
        ('<a href="#" onclick="go()">', "handler attribute"),
        ('<button hx-on:click="go()">', "handler attribute"),
        ("<style>p { color: red }</style>", "style element"),
        ("<script>go()</script>", "inline script"),
        ('<script src="a.js">go()</script>', "inline script"),
        ('<a href="javascript:go()">', "javascript: address"),
        ('<script src="https://cdn.example/x.js"></script>', "asset of another site"),
    ],
)
def test_the_rule_can_fail(text, fault):
    assert fault in faults_in(text)


def test_a_policy_conforming_template_passes():
    assert (
        faults_in('<script src="{% static \'a.js\' %}" defer></script><p class="on" data-online="1">') == []
    )
