"""A page as one HTML file: nothing from elsewhere, and no text of a run among its code."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from pathlib import Path
from typing import Any

from engine.core.errors import InputError
from engine.core.palette import DARK_ROLES, DARK_SERIES, ROLES, SERIES, css_variables
from engine.core.paths import resource
from engine.core.versions import NAME, VERSION
from engine.pages.subject import Subject
from engine.storage.files import write_text
from engine.text.numbers import whole

MOST_BYTES = 300_000
DRAWING = ("analysis.js", "plot.js", "page.js")
"""Parts of the script that follow what makes runs."""


def write(subject: Subject, path: Path) -> int:
    """Write a page and return its size in bytes.

    Raises
    ------
    InputError
        If the name does not end in .html, or the page would be too large.
    FileError
        If it cannot be written.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError("--out", path.name, "give a name that ends in .html")
    text = page_of(subject)
    size = len(text.encode())
    if size > MOST_BYTES:
        rule = (
            f"its page would have {whole(size)} bytes of at most {whole(MOST_BYTES)}; give a "
            "shorter function or fewer rows of data"
        )
        raise InputError("function", subject.title, rule)
    write_text(path, text)
    return size


def page_of(subject: Subject) -> str:
    """Return the page.

    The texts of the run are in a block of JSON, of which the script sets texts of elements; the
    policy of the page lets only this script run, and nothing be loaded.
    """
    style, script = _style(), script_of(subject)
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<meta name="generator" content="{NAME} {VERSION}">\n'
        f"<title>{html.escape(subject.title)}</title>\n<style>{style}</style>\n</head>\n"
        f"{_body(subject)}"
        f'<script type="application/json" id="data">{in_html(dict(subject.setting))}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def in_html(value: Any) -> str:
    """Write JSON that no element of a page ends."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def script_of(subject: Subject) -> str:
    """Return the script: the parts that all pages share, and the functions of this run."""
    return "\n".join([model_of(subject), *map(_part, DRAWING)])


def model_of(subject: Subject) -> str:
    """Return the part of the script that makes runs, without anything that is drawn."""
    given = [f"const {name} = {in_html(value)};" for name, value in subject.constants.items()]
    written = map(str, subject.functions)
    return "\n".join(["'use strict';", _part("math.js"), *given, *written, _part("run.js")])


def _part(name: str) -> str:
    return resource("page", name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _style() -> str:
    dark = css_variables(DARK_SERIES, DARK_ROLES)
    return (
        f":root {{ {css_variables(SERIES, ROLES)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{_part('page.css')}"
    )


def _body(subject: Subject) -> str:
    return _part("page.html").replace("<!--formula-->", subject.formula)
