"""Is a page valid HTML, as the HTML standard has it? Slower and stricter than a browser.

The parser says what is wrong with the markup itself (https://html.spec.whatwg.org/multipage/parsing.html#parse-errors);
the tables below say which element may stand in which and have which attributes, for the elements that our templates
use. An element or attribute that is in no table is a finding, so the tables grow with the templates. htmx's attributes
(`hx-*`) are the only ones allowed that no standard knows.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

from justhtml import JustHTML

_METADATA = {"title", "meta", "link", "script", "base"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_PHRASING = {
    *("a", "b", "br", "button", "code", "del", "em", "i", "iframe", "img", "input", "ins", "kbd", "label", "meter"),
    *("noscript", "output", "progress", "script", "select", "small", "span", "strong", "svg", "template", "textarea"),
    *("time", "wbr", "abbr", "cite", "q", "samp", "sub", "sup", "u", "var", "mark", "s", "data"),
}
_FLOW = (
    _PHRASING
    | _HEADINGS
    | {
        *("article", "aside", "blockquote", "details", "dialog", "div", "dl", "fieldset", "figure", "footer", "form"),
        *("header", "hr", "main", "menu", "nav", "ol", "p", "pre", "search", "section", "table", "ul", "address"),
    }
)
_NOTHING: frozenset[str] = frozenset()
_TRANSPARENT = {"a", "ins", "del", "noscript"}
_INTERACTIVE = {"a", "button", "details", "iframe", "input", "label", "select", "textarea"}
_ONLY_PHRASING = (
    *_HEADINGS, "p", "pre", "span", "b", "small", "code", "em", "strong", "time", "label", "button", "abbr", "cite",
    "i", "kbd", "mark", "output", "q", "s", "samp", "sub", "sup", "u", "var",
)  # fmt: skip
_ONLY_TEXT = ("title", "option", "textarea", "script", "style", "iframe")
_EMPTY = ("br", "hr", "img", "input", "link", "meta", "wbr", "base", "col")
_SCRIPTS = {"script", "template"}
_CHILDREN = {
    "html": {"head", "body"},
    "head": _METADATA | {"noscript"},
    **{name: _PHRASING for name in _ONLY_PHRASING},
    **{name: {"li"} | _SCRIPTS for name in ("ul", "ol", "menu")},
    "dl": {"dt", "dd", "div"} | _SCRIPTS,
    "table": {"caption", "colgroup", "thead", "tbody", "tfoot", "tr"} | _SCRIPTS,
    **{name: {"tr"} | _SCRIPTS for name in ("thead", "tbody", "tfoot")},
    "tr": {"th", "td"} | _SCRIPTS,
    "colgroup": {"col"},
    "select": {"option", "optgroup", "hr"},
    "optgroup": {"option"},
    "summary": _PHRASING | _HEADINGS,
    "legend": _PHRASING | _HEADINGS,
    "details": _FLOW | {"summary"},
    "fieldset": _FLOW | {"legend"},
    "figure": _FLOW | {"figcaption"},
    **{name: _NOTHING for name in (*_ONLY_TEXT, *_EMPTY)},
    "dt": _FLOW - _HEADINGS - {"header", "footer", "article", "aside", "nav", "section"},
}
_GLOBAL = {
    *(
        "accesskey",
        "autofocus",
        "class",
        "dir",
        "hidden",
        "id",
        "inert",
        "lang",
        "popover",
        "role",
        "tabindex",
        "title",
    ),
    *("translate", "spellcheck"),
}
_FIELD = {"name", "disabled", "form", "required", "autocomplete"}
_ATTRIBUTES = {
    "a": {"href", "rel", "target", "download", "hreflang", "type"},
    "base": {"href", "target"},
    "button": {
        *("type", "name", "value", "disabled", "form", "formaction", "formmethod", "formnovalidate"),
        *("popovertarget", "popovertargetaction"),
    },
    "col": {"span"},
    "details": {"open", "name"},
    "dialog": {"open"},
    "del": {"datetime", "cite"},
    "ins": {"datetime", "cite"},
    "fieldset": {"disabled", "form", "name"},
    "form": {"action", "method", "enctype", "novalidate", "target", "autocomplete", "name", "rel", "accept-charset"},
    "iframe": {"src", "sandbox", "loading", "width", "height", "name", "referrerpolicy", "allow"},
    "img": {"src", "alt", "width", "height", "loading", "decoding"},
    "input": _FIELD | {
        *("type", "value", "checked", "placeholder", "min", "max", "step", "minlength", "maxlength", "pattern", "size"),
        *("list", "multiple", "readonly", "inputmode", "autocapitalize"),
    },
    "label": {"for"},
    "li": {"value"},
    "link": {"rel", "href", "as", "type", "crossorigin", "sizes", "media"},
    "meta": {"charset", "name", "content", "http-equiv"},
    "meter": {"value", "min", "max", "low", "high", "optimum"},
    "ol": {"start", "reversed", "type"},
    "optgroup": {"label", "disabled"},
    "option": {"value", "selected", "label", "disabled"},
    "output": {"for", "form", "name"},
    "progress": {"value", "max"},
    "script": {"src", "defer", "async", "type", "crossorigin", "integrity"},
    "select": _FIELD | {"multiple", "size"},
    "td": {"colspan", "rowspan", "headers"},
    "textarea": _FIELD | {"rows", "cols", "placeholder", "minlength", "maxlength", "readonly", "wrap", "inputmode"},
    "th": {"colspan", "rowspan", "headers", "scope", "abbr"},
    "time": {"datetime"},
}  # fmt: skip
_REFERENCES = (
    "for", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "headers", "list", "form",
    "popovertarget",
)  # fmt: skip
# What our pages have: a day, or a moment with its offset; the standard allows three digits of a fraction.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?")
_KNOWN = set(_CHILDREN) | _FLOW | set(_ATTRIBUTES) | {"body", "head", "html", "li", "dd", "th", "td", "caption"}


@dataclass
class Element:
    name: str
    attrs: dict[str, str]
    parent: "Element | None" = None
    children: list["Element"] = field(default_factory=list)


class _Source(HTMLParser):
    """The elements as the source nests them. A parser's tree would hide what it had to move or to close itself, so
    every element has to be closed in its turn, and the tree is the one that was written."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.elements = []
        self.open = []

    def handle_starttag(self, tag, attrs):
        names = Counter(name for name, _value in attrs)
        where = f"<{tag}> in line {self.getpos()[0]}"
        self.found += [f"{where}: {name} is given {count} times" for name, count in names.items() if count > 1]
        if tag == "style" or "style" in names:
            self.found.append(f"{where}: inline style")
        if tag == "script" and "src" not in names:
            self.found.append(f"{where}: inline script")
        self.found += [f"{where}: {name}" for name in names if re.fullmatch(r"on[a-z]+", name)]
        parent = self.open[-1] if self.open else None
        element = Element(tag, {name: value or "" for name, value in attrs}, parent)
        if parent:
            parent.children.append(element)
        if not any(each.name == "svg" for each in self.open):
            self.elements.append(element)
        if tag not in _EMPTY:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        if self.open and self.open[-1].name == tag:
            self.open.pop()
        else:
            inside = f"inside <{self.open[-1].name}>" if self.open else "with nothing open"
            self.found.append(f"</{tag}> in line {self.getpos()[0]} {inside}")

    def close(self):
        super().close()
        self.found += [f"<{element.name}> is never closed" for element in self.open]


def problems(html: str, *, fragment: bool = False) -> list[str]:
    """What is wrong with a page, or with a part of one that htmx puts into it. Nothing, where it is valid."""
    source = _Source()
    source.feed(html)
    source.close()
    elements = source.elements
    parsed = JustHTML(html, collect_errors=True, fragment=fragment, sanitize=False)
    found = source.found + [f"line {error.line}: {error.message}" for error in parsed.errors]
    ids = Counter(element.attrs["id"] for element in elements if "id" in element.attrs)
    found += [f"id “{id_}” is there {count} times" for id_, count in ids.items() if count > 1]
    found += [f"id “{id_}” has white space or nothing in it" for id_ in ids if not id_ or re.search(r"\s", id_)]
    for element in elements:
        found += _of_element(element)
        if not fragment:
            found += [
                f"{_said(element)}: {name} names “{id_}”, which is not there"
                for name in _REFERENCES
                for id_ in element.attrs.get(name, "").split()
                if id_ not in ids
            ]
    return found + ([] if fragment else _of_page(elements))


def _of_page(elements):
    found = []
    counts = Counter(element.name for element in elements)
    for name in ("h1", "main", "title"):
        if counts[name] != 1:
            found.append(f"{counts[name]} <{name}>")
    if not next(element for element in elements if element.name == "html").attrs.get("lang"):
        found.append("<html> without lang")
    return found


def _of_element(element):
    name, attributes = element.name, element.attrs
    if name not in _KNOWN:
        return [f"{_said(element)} is not in the tables"]
    if name == "svg":
        return []
    allowed = _ATTRIBUTES.get(name, _NOTHING)
    found = [
        f"{_said(element)}: no attribute {attribute}"
        for attribute in attributes
        if attribute not in allowed and attribute not in _GLOBAL and not attribute.startswith(("aria-", "data-", "hx-"))
    ]
    if name == "button" and "type" not in attributes:
        found.append(f"{_said(element)} without type")
    if name == "img" and "alt" not in attributes:
        found.append(f"{_said(element)} without alt")
    if name == "time" and not _MOMENT.fullmatch(attributes.get("datetime", "")):
        found.append(f"{_said(element)}: {attributes.get('datetime')!r} is no moment")
    if name == "a" and attributes.get("href") == "":
        found.append(f"{_said(element)} leads nowhere")
    may_have = _children_of(element)
    for child in element.children:
        if may_have is not None and child.name not in may_have:
            found.append(f"{_said(child)} in {_said(element)}")
    if _is_interactive(element):
        found += [f"{_said(element)} in {_said(outer)}" for outer in _above(element) if _encloses_no_control(outer)]
    return found


def _is_interactive(element):
    return element.name in _INTERACTIVE and not (element.name == "input" and element.attrs.get("type") == "hidden")


def _encloses_no_control(element):
    return element.name in ("a", "button")


def _children_of(element):
    """The elements that may stand directly in this one; None for those that take any flow content."""
    if element.name == "div" and element.parent is not None and element.parent.name == "dl":
        return {"dt", "dd", "script", "template"}
    if element.name in _TRANSPARENT:
        outer = next((each for each in _above(element) if each.name not in _TRANSPARENT), None)
        return _children_of(outer) if outer is not None and outer.name in _KNOWN else _FLOW
    return _CHILDREN.get(element.name, _FLOW)


def _above(element):
    while element := element.parent:
        yield element


def _said(element):
    attributes = {name: element.attrs[name] for name in ("id", "class", "name") if element.attrs.get(name)}
    return f"<{' '.join([element.name, *(f'{name}={value!r}' for name, value in attributes.items())])}>"
