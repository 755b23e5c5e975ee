"""Sub- and superscripts in texts for people: ``δ_max``, ``w_i[0]``, ``λ^(1/L)``, ``Π_{j≠i}``.

Claims, bounds, presets and help are written so; a window that can typeset shows the scripts small,
and a plain text has Unicode's own where there are such letters. Names of parameters, as
``step_size``, are no scripts: a base is a single letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

_GROUP = r"\{[^{}]*\}"
_PARENTHESES = r"\((?:[^()]|\([^()]*\))*\)"
_WORD = r"[−-]?[A-Za-z0-9α-ω]+"
_SCRIPT = re.compile(
    rf"(?<![\w.])(?P<base>[^\W\d_]|∏|∑)(?P<star>\*?)_(?P<sub>{_GROUP}|[A-Za-z0-9α-ω]+(?![A-Za-z0-9_]))"
    rf"|(?<=[\w)\]|‖*'²])\^(?P<sup>{_GROUP}|{_PARENTHESES}|{_WORD})"
)

_LOWERED = "aehijklmnoprstuvxβγρφχ0123456789+-−=()"
_LOW = "ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎"
_RAISED = "abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδθφχ0123456789+-−=()⊤*"
_HIGH = "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵀ*"
_BELOW = dict(zip(_LOWERED, _LOW, strict=True))
_ABOVE = dict(zip(_RAISED, _HIGH, strict=True))


def lowered(script: str) -> str:
    """Write a subscript in plain letters: Unicode's small ones, or else those of the line."""
    if all(letter in _BELOW for letter in script):
        return "".join(_BELOW[letter] for letter in script)
    return script if script.isalnum() else f"({script})"


def raised(script: str) -> str:
    """Write a superscript in plain letters: Unicode's small ones, or else with a caret."""
    if all(letter in _ABOVE for letter in script):
        return "".join(_ABOVE[letter] for letter in script)
    return f"^{script}" if script.isalnum() else f"^({script})"


def plain(text: str) -> str:
    """Write the scripts of a text in Unicode: ``δ_max`` as ``δₘₐₓ``, ``δ_c`` as ``δc``.

    There is no small c, w or z below the line.
    """
    return _written(text, str, lowered, raised)


def html(text: str) -> str:
    """Write a text as HTML, its scripts small: ``δ_c`` as ``δ<sub>c</sub>``."""

    def words(part: str) -> str:
        return escape(part, quote=False)

    def small(script: str) -> str:
        return words(script.replace("-", "−"))

    return _written(
        text, words, lambda s: f"<sub>{small(s)}</sub>", lambda s: f"<sup>{small(s)}</sup>"
    )


def _written(
    text: str,
    words: Callable[[str], str],
    below: Callable[[str], str],
    above: Callable[[str], str],
) -> str:
    if "_" not in text and "^" not in text:
        return words(text)
    out, end = [], 0
    for found in _SCRIPT.finditer(text):
        out.append(words(text[end : found.start()]))
        end = found.end()
        if found["sup"] is not None:
            out.append(above(_inner(found["sup"])))
        else:
            out += [words(found["base"] + found["star"]), below(_inner(found["sub"]))]
    return "".join((*out, words(text[end:])))


def _inner(script: str) -> str:
    """Take the brackets off that only hold a script together."""
    return script[1:-1] if script[0] in "({" else script
