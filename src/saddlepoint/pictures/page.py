"""HTML by small functions: what goes in as text comes out escaped, and the page can fetch and run nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Mapping, Sequence

from .style import STYLE

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_LONGEST = 400


def text(value: object, longest: int = _LONGEST) -> str:
    """Anything as text of the page: cut when very long, without control and direction characters, escaped."""
    plain = _CONTROL.sub("\ufffd", str(value))
    return html.escape(plain if len(plain) <= longest else plain[: longest - 1] + "…")


def page(title: str, body: str) -> bytes:
    """The whole page. Its policy allows its own style by hash and pictures inside it; no script, no request."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    document = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{text(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
    return document.encode("utf-8", "replace")  # a log may hold half of a surrogate pair


def section(title: str, *parts: str) -> str:
    """A heading and what stands below it; nothing at all when nothing does."""
    body = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{text(title)}</h2>\n{body}\n</section>" if body else ""


def paragraph(words: str, kind: str = "") -> str:
    """A paragraph of plain words."""
    return f"<p{_class(kind)}>{text(words, 4000)}</p>" if words else ""


def figure(image: str, caption: str, kind: str = "wide") -> str:
    """An `<img>`, or a `<picture>`, with words below it."""
    return f"<figure{_class(kind)}>{image}<figcaption>{text(caption)}</figcaption></figure>"


def table(rows: Mapping[str, object] | Iterable[tuple[str, object]]) -> str:
    """Names on the left, values on the right."""
    pairs = rows.items() if isinstance(rows, Mapping) else rows
    lines = "".join(f"<tr><th>{text(name)}</th><td>{text(value)}</td></tr>\n" for name, value in pairs)
    return f"<table>\n{lines}</table>" if lines else ""


def grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a head; nothing at all without rows."""
    lines = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    first = "".join(f"<th>{text(name)}</th>" for name in head)
    return f"<table>\n<tr>{first}</tr>\n{lines}</table>" if lines else ""


def listing(items: Iterable[tuple[str, str]], kind: str) -> str:
    """A list of (class, words)."""
    lines = "".join(f"<li{_class(own)}>{text(words, 1000)}</li>\n" for own, words in items)
    return f"<ul{_class(kind)}>\n{lines}</ul>" if lines else ""


def facts_list(facts: Iterable[tuple[str, str, str]]) -> str:
    """Small names above large values, in a row: (name, value, class)."""
    lines = "".join(f"<div><dt>{text(n)}</dt><dd{_class(kind)}>{text(v)}</dd></div>\n" for n, v, kind in facts)
    return f'<dl class="facts">{lines}</dl>'


def folded(summary: str, body: str) -> str:
    """A part that opens on a click."""
    return f"<details><summary>{text(summary)}</summary>\n{body}\n</details>" if body else ""


def _class(kind: str) -> str:
    return f' class="{text(kind)}"' if kind else ""
