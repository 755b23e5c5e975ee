"""TOML texts from outside, read within bounds of time and memory."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from engine.core import interrupt
from engine.core.errors import InputError
from engine.storage.files import check_values, fault, faulty_line, first_line
from engine.text.numbers import whole

COMMAS_LIMIT = 400_000
"""Commas, and so about the numbers, of a text: its reader makes 100,000 a second."""
_DOTTED = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){15}""")
"""A key of many parts, of which none in a file of the program has more than two."""


def parse_toml(text: str, what: str) -> dict[str, Any]:
    """Read a TOML text as a table of plain values.

    Raises
    ------
    InputError
        If it is not TOML, would take its reader many seconds, or as `check_values`; `what` names
        it.
    """
    if _DOTTED.search(text):  # its parser needs the square of their number in memory
        raise InputError(what, first_line(text), "give keys of few parts joined by dots")
    count = text.count(",")
    if count > COMMAS_LIMIT:
        rule = f"give at most {whole(COMMAS_LIMIT)} commas, that is numbers in lists"
        raise InputError(what, f"{whole(count)} commas", rule)
    try:
        with interrupt.breakable():
            table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a whole number may be too long to be read
        rule = f"give a TOML text ({fault(error)})"
        raise InputError(what, faulty_line(text, error), rule) from None
    check_values(table, what)
    return table
