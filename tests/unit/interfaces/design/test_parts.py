"""The parts as pages see them: words beside colours, names for screen readers, refusals that say what to do."""

import re

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, RequestContext, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation

from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.kernel.quantities import Grams, Tonnes
from tanpuhui.interfaces.design import context, examples
from tanpuhui.interfaces.design.parts import InboxRow, NavigationItem

PAGES = ("400.html", "403.html", "404.html", "500.html", "403_csrf.html", "design/offline.html")


def shown(source: str, **values: object) -> str:
    return Template("{% load tanpuhui %}" + source).render(Context(values))


@pytest.fixture(autouse=True)
def chinese():
    with translation.override("zh-hans"):
        yield


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_error_pages_render_without_any_context(page, language):
    with translation.override(language):
        html = render_to_string(page)
    chinese_letters = re.search(r"[\u4e00-\u9fff]", re.sub(r"<[^>]*>", "", html))
    assert bool(chinese_letters) == (language == "zh-hans")


def test_a_state_is_a_word_and_a_shape():
    assert shown('{% state "refused" "未计入" %}') == '<span class="state state-bad">未计入</span>'


def test_a_refusal_shows_message_and_code():
    html = shown("{% refusal item %}", item=NotPermitted(operation="签发"))
    assert "找本机构的管理员" in html
    assert "NOT_PERMITTED" in html
    assert 'role="alert"' in html


def test_a_button_says_verb_and_quantity():
    text = re.sub(r"<[^>]*>", "", shown('{% action_button "签发" amount %}', amount=Tonnes(1842)))
    assert text.strip() == "签发 1,842 t"


def test_text_from_people_is_escaped_in_every_table():
    row = InboxRow("复核", "<script>x</script>", "N-1", "#", "<b>甲</b>", "查看", days_total=5, days_left=2)
    html = shown("{% inbox_table rows %}", rows=[row])
    assert "<script>" not in html
    assert "<b>甲" not in html


class Quantity(forms.Form):
    quantity = forms.IntegerField(label="数量", help_text="整吨")


def test_a_field_joins_label_hint_and_error_to_its_control():
    html = shown("{% field form.quantity %}", form=Quantity({"quantity": "x"}))
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_quantity_hint id_quantity_error"' in html
    assert 'id="id_quantity_error"' in html
    assert 'for="id_quantity"' in html


def test_drops_beyond_five_are_counted_in_words():
    drops = [*examples.everything()["drops"], *examples.everything()["drops"][:2]]
    html = shown('{% sky drops "/m/records/" %}', drops=drops)
    assert html.count("<li>") == 5
    assert "还有 2 笔" in html


def test_the_water_posts_with_a_token():
    request = RequestFactory().get("/")
    html = Template('{% load tanpuhui %}{% water total collect=waiting collect_url="/m/collect" %}').render(
        RequestContext(request, {"total": Grams(18642), "waiting": Grams(1932)})
    )
    assert 'action="/m/collect"' in html
    assert re.search(r'name="csrfmiddlewaretoken" value="\w{20,}"', html)


def test_pages_keep_the_other_parameters_of_the_query():
    request = RequestFactory().get("/", {"kind": "appeal", "page": "2"})
    page = Paginator(range(100), 10).page(2)
    html = Template("{% load tanpuhui %}{% pagination page %}").render(
        RequestContext(request, {"page": page})
    )
    assert "?kind=appeal&amp;page=1" in html
    assert "?kind=appeal&amp;page=3" in html


def test_a_single_page_needs_no_pages():
    assert shown("{% pagination page %}", page=Paginator(range(3), 10).page(1)).strip() == ""


def test_theme_and_mode_come_from_cookies_and_from_nothing_else():
    request = RequestFactory().get("/")
    request.COOKIES.update({context.THEME_COOKIE: 'dark" onload="x', context.MODE_COOKIE: "elder"})
    face = context.face(request)
    assert face["theme"] == ""
    assert face["mode"] == "elder"


def test_navigation_takes_an_address_or_a_name():
    assert NavigationItem("首页", url="/m/").href == "/m/"


def test_a_broken_register_is_announced():
    values = examples.everything()
    html = shown(
        '{% balance_bar issued balance "登记簿" %}', issued=values["wrong_issued"], balance=values["balance"]
    )
    assert "≠" in html
    assert "右边多 20 t" in html


def test_the_example_register_balances():
    values = examples.everything()
    assert sum(part.tonnes.value for part in values["balance"]) == values["issued"].value
