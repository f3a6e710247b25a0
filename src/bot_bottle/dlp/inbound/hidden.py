"""Prose that a page, a file or a terminal holds and does not show.

Reads tags, comments, attributes and styles with one flat pattern over a bounded text: no document tree, so a page that
is broken is read as well as one that is not. It errs to "hidden": what is hidden still needs a wording to count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_TOKEN = re.compile("<!--|-->|<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})([^<>]{0,2000})>")
_RULE = re.compile("([.#][a-zA-Z_][a-zA-Z0-9_-]{0,60})[^{}<>]{0,100}\\{([^{}<>]{0,400})\\}")
_ATTRIBUTE = re.compile(
    "(?<![a-z-])(alt|title|aria-label|aria-description|aria-roledescription|content|placeholder|value|"
    "summary|longdesc|label|desc|data-[a-z0-9-]{1,30})"
    "\\s{0,3}=\\s{0,3}(?:\"([^\"]{16,4000})|'([^']{16,4000}))",
    re.IGNORECASE,
)
_BLANKS = re.compile("[\\s\\\\]+")
_CONCEALING = re.compile(
    "display:none|visibility:(?:hidden|collapse)|content-visibility:hidden|font(?:-size)?:0*(?:0|"
    "[01]px|0?\\.\\d+(?:px|pt|em|rem))(?![\\d.])|font-size:[01]p|"
    "opacity:0*(?:0|\\.0\\d*|0\\.0\\d*)(?![\\d.])|(?:^|[;\"'{])color:(?:white|#fff(?:fff)?|#fefefe|"
    "#fdfdfd|transparent|rgb\\(255,255,255\\)|rgba\\(\\d+,\\d+,\\d+,0(?:\\.0\\d*)?\\)|"
    "hsla?\\(0,0%,100%)(?![0-9a-f])|"
    "(?:left|top|right|bottom|text-indent|margin-left|margin-top):-\\d{3,}|(?:left|top|"
    "text-indent):-\\d+(?:vw|vh|em|rem)|clip:rect\\((?:0|1px)|clip-path:(?:inset\\((?:50|100)%|"
    "circle\\(0|polygon\\(0)|"
    "max-height:0(?![\\d.])|max-width:0(?![\\d.])|(?:^|[;\"'{])(?:height|width):[01](?:px)?(?![\\d.%])|"
    "transform:(?:scale|translate[xy]?)\\((?:0\\)|0,|-\\d{3,})|line-height:0(?![\\d.])|mso-hide:all|"
    "filter:opacity\\(0"
)
_SAME_COLOUR = re.compile("(?:^|[;\"'{])color:([#a-z0-9(),.%]{3,24})")
_BACKGROUND = re.compile("background(?:-color)?:([#a-z0-9(),.%]{3,24})")
_CLASSES = re.compile("(?:class|id)\\s{0,3}=\\s{0,3}[\"']?([^\"'<>]{1,300})", re.IGNORECASE)
_HIDDEN_CLASSES = frozenset(
    [
        "sr-only",
        "visually-hidden",
        "visuallyhidden",
        "screen-reader-text",
        "screen-reader-only",
        "screenreader",
        "d-none",
        "hidden",
        "invisible",
        "hide",
        "offscreen",
        "off-screen",
        "u-hidden",
        "is-hidden",
        "a11y-hidden",
        "display-none",
        "opacity-0",
    ]
)
_FLAGS = re.compile(
    "(?:^|\\s)hidden(?:\\s|=|/|$)|aria-hidden\\s{0,3}=\\s{0,3}[\"']?true|"
    "type\\s{0,3}=\\s{0,3}[\"']?hidden|color\\s{0,3}=\\s{0,3}[\"']?(?:white|#fff(?:fff)?)\\b|"
    "size\\s{0,3}=\\s{0,3}[\"']?0\\b|fill\\s{0,3}=\\s{0,3}[\"']?(?:none|white|transparent|"
    "#fff(?:fff)?)\\b|fill-opacity\\s{0,3}=\\s{0,3}[\"']?0\\b|"
    "opacity\\s{0,3}=\\s{0,3}[\"']?0(?:\\.0\\d*)?[\"']",
    re.IGNORECASE,
)
_NEVER_SHOWN = frozenset(
    [
        "template",
        "noframes",
        "noembed",
        "datalist",
        "metadata",
        "desc",
        "rdf:rdf",
        "dc:description",
        "dc:title",
        "param",
        "object",
    ]
)
_IN_SVG = frozenset(("title",))
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_MARKDOWN = re.compile(
    "(?:^|\\n)[ ]{0,3}\\[(?://|comment|_|\\.|hidden|note|#)?[^\\]\\n]{0,40}\\]: ?(?:#|<>|<#>|/|"
    "\\.)[ \\t]{1,4}[(\"']([^\\n]{16,4000})"
)
_LATEX = re.compile(
    "\\\\(?:textcolor|color|colorbox)\\{(?:white|yellow!0|bg)\\}\\{?([^{}]{16,2000})|\\\\(?:tiny|"
    "fontsize\\{0[^}]{0,4}\\}\\{0[^}]{0,4}\\})\\\\color\\{white\\}([^{}]{16,2000})|"
    "\\\\phantom\\{([^{}]{16,2000})\\}"
)
_CONCEAL = re.compile("\x1b\\[(?:\\d{1,3};){0,6}8(?:;\\d{1,3}){0,6}m([^\x1b]{8,4000})")
_SAME_INK = re.compile("\x1b\\[(?:0;|1;)?(?:3(\\d);4(\\d)|4(\\d);3(\\d)|9(\\d);10(\\d))m([^\x1b]{8,4000})")
_ERASED = re.compile(
    "([^\x1b\\n]{8,2000})(?:\\r|\x1b\\[\\d{0,3}[ADFG])?\\n?(?:\x1b\\[\\d{0,3}[AF])?\x1b\\[[012]?[KJ]"
)
_TITLE = re.compile("\x1b\\](?:\\d{1,4};)([^\x07\x1b]{8,2000})")

META_DESCRIPTION = "meta"
"""a page's own description: a page about injections quotes them there, so it conceals nothing for certain"""
_DEPTH = 40


class Piece(Struct, frozen=True):
    """Text that is not shown: from ``start`` to ``end`` of the text that was read."""

    how: str
    text: str
    start: int
    end: int


def _conceals(style: str) -> bool:
    plain = _BLANKS.sub("", style.lower())
    if _CONCEALING.search(plain) is not None:
        return True
    ink, paper = _SAME_COLOUR.search(plain), _BACKGROUND.search(plain)
    return ink is not None and paper is not None and ink.group(1) == paper.group(1)


def _hides(attributes: str, classes: frozenset[str]) -> bool:
    if not attributes or attributes.isspace():
        return False
    if "style" in attributes.lower() and _conceals(attributes.lower().split("style", 1)[1].lstrip("= \"'\\")):
        return True
    if _FLAGS.search(attributes) is not None:
        return True
    named = _CLASSES.findall(attributes)
    return any(
        name.lower() in _HIDDEN_CLASSES or name in classes for group in named for name in group.split()
    )


def _concealing_classes(text: str) -> frozenset[str]:
    if "{" not in text:
        return frozenset()
    return frozenset(rule.group(1)[1:] for rule in _RULE.finditer(text) if _conceals(rule.group(2)))


def _attributes(name: str, attributes: str, at: int) -> Iterator[Piece]:
    how = META_DESCRIPTION if name == "meta" else "attribute"
    for match in _ATTRIBUTE.finditer(attributes):
        text = match.group(2) or match.group(3)
        yield Piece(how, text, at + match.start(), at + match.end())


def _elements(text: str) -> Iterator[Piece]:
    """Comments, attributes, and what stands inside of elements that are not shown."""
    classes = _concealing_classes(text)
    opened: list[str] = []
    """names of the elements since the outermost hidden one"""
    since = 0
    comment: int | None = None
    svg = False
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark == "<!--":
            comment = token.end() if comment is None else comment
            continue
        if mark == "-->":
            if comment is not None:
                yield Piece("comment", text[comment : token.start()], comment, token.start())
            comment = None
            continue
        name, attributes = token.group(2).lower(), token.group(3)
        if comment is None and attributes and not token.group(1):
            yield from _attributes(name, attributes, token.start(3))
        svg = (svg or name == "svg") and not (name == "svg" and token.group(1))
        if token.group(1):
            if name in opened:
                while opened.pop() != name:
                    pass
                if not opened:
                    yield Piece("hidden", text[since : token.start()], since, token.start())
        elif name in _VOID or attributes.endswith("/"):
            continue
        elif opened:
            if len(opened) < _DEPTH:
                opened.append(name)
        elif name in _NEVER_SHOWN or (svg and name in _IN_SVG) or _hides(attributes, classes):
            opened.append(name)
            since = token.end()
    if comment is not None:
        yield Piece("comment", text[comment:], comment, len(text))
    if opened:
        yield Piece("hidden", text[since:], since, len(text))


def _groups(pattern: re.Pattern[str], how: str, text: str) -> Iterator[Piece]:
    for match in pattern.finditer(text):
        at = match.lastindex or 0
        yield Piece(how, match.group(at), match.start(at), match.end(at))


def _terminal(text: str) -> Iterator[Piece]:
    yield from _groups(_CONCEAL, "terminal", text)
    yield from _groups(_ERASED, "terminal", text)
    yield from _groups(_TITLE, "terminal", text)
    for match in _SAME_INK.finditer(text):
        inks = [ink for ink in match.groups()[:-1] if ink is not None]
        if inks[0] == inks[1]:
            yield Piece("terminal", match.group(7), match.start(7), match.end(7))


def hidden(text: str) -> Iterator[Piece]:
    """What *text* holds and does not show."""
    if "<" in text:
        yield from _elements(text)
    if "]: " in text or "]:#" in text:
        yield from _groups(_MARKDOWN, "markdown-comment", text)
    if "\\" in text:
        yield from _groups(_LATEX, "latex", text)
    if "\x1b" in text:
        yield from _terminal(text)
