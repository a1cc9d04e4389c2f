"""The page around the content: content policy, sanitiser, style inlined, nothing that asks for anything elsewhere."""

import base64
import re
from functools import cache
from pathlib import Path
from typing import Any

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.report.words import Words, tidy

HERE = Path(__file__).parent
POLICY = ("default-src 'none'; img-src data: 'self'; style-src 'self' 'unsafe-inline'; base-uri 'none'; "
          "form-action 'none'")
_TAGS = """a abbr article aside b br caption code dd details div dl dt em figcaption figure footer h1 h2 h3 h4 header
img li main nav ol p picture section small source span strong summary table tbody td tfoot th thead time tr ul"""
TAGS = set(_TAGS.split())
ATTRIBUTES = {
    "*": {"class", "id", "role", "lang", "tabindex", "title"}, "a": {"href", "download"},
    "img": {"src", "alt", "width", "height"}, "source": {"srcset", "media"}, "details": {"open"},
    "th": {"scope", "colspan"}, "td": {"colspan"}, "time": {"datetime"},
}
LINK = re.compile(r"#[A-Za-z0-9._-]+|[A-Za-z0-9._-]+\.(html|csv)(#[A-Za-z0-9._-]+)?")
PICTURE = re.compile(r"data:image/svg\+xml;base64,[A-Za-z0-9+/=]+")


def clean(html: str) -> str:
    """The content with nothing but the tags and attributes of a page; links stay among the pages, pictures in the page.

    Autoescape alone stops what comes with the data, and so does the content policy: this is the third wall.
    """
    return nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, generic_attribute_prefixes={"aria-"}, link_rel=None,
                     url_schemes={"data"}, attribute_filter=_attribute)


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if LINK.fullmatch(value) else None
    if name in ("src", "srcset"):
        return value if PICTURE.fullmatch(value) else None
    return value


@cache
def environment() -> Environment:
    """Jinja2 over templates/, everything escaped, an unknown name an error."""
    made = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    made.filters["tidy"] = tidy
    return made


def page_html(template: str, words: Words, title: str, description: str, **content: Any) -> str:
    """A whole page: templates/<template> filled and cleaned, inside templates/shell.html.j2."""
    body = clean(environment().get_template(template).render(words=words, t=words.text, title=title, **content))
    style = (HERE / "style.css").read_text(encoding="utf-8")
    return environment().get_template("shell.html.j2").render(
        language=words.language, title=tidy(title), description=tidy(description, 300), policy=POLICY,
        style=Markup(style), icon=picture_address(ICON), body=Markup(body))


def picture_address(svg: str) -> str:
    """SVG text as an address for <img>: what is drawn there can neither run nor load anything."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8")).decode("ascii")


ICON = ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" '
        'fill="#0e4f63"/><path d="M7 10l9 14 9-14" fill="none" stroke="#fff" stroke-width="3.4" '
        'stroke-linecap="round" stroke-linejoin="round"/><circle cx="16" cy="9" r="2.6" fill="#f2b544"/></svg>')
