"""Unicode's small letters above and below the line: ``raised("-5")`` is ``⁻⁵``."""

from __future__ import annotations

_LOWERED = "aehijklmnoprstuvxβγρφχ0123456789+-−=()"
_LOW = "ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎"
_RAISED = "abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδθφχ0123456789+-−=()⊤*"
_HIGH = "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵀ*"
_BELOW = dict(zip(_LOWERED, _LOW, strict=True))
_ABOVE = dict(zip(_RAISED, _HIGH, strict=True))
_DOWN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")


def lowered(script: str) -> str:
    """Return a subscript in Unicode's small letters, or else in those of the line.

    There is no small c, w or z below the line.
    """
    if all(letter in _BELOW for letter in script):
        return "".join(_BELOW[letter] for letter in script)
    return script if script.isalnum() else f"({script})"


def raised(script: str) -> str:
    """Return a superscript in Unicode's small letters, or else with a caret."""
    if all(letter in _ABOVE for letter in script):
        return "".join(_ABOVE[letter] for letter in script)
    return f"^{script}" if script.isalnum() else f"^({script})"


def unscripted(letter: str) -> tuple[bool, str] | None:
    """Return whether a small letter is above the line, and the letter that it stands for.

    None for a letter of the line.
    """
    if letter in _LOW:
        return False, _LOWERED[_LOW.index(letter)]
    if letter in _HIGH and letter != "*":  # which is the same above the line
        return True, _RAISED[_HIGH.index(letter)]
    return None


def exponent_of(text: str) -> int:
    """Return the whole number that is written in raised digits: -5 for ``⁻⁵``.

    Raises
    ------
    ValueError
        If there is none.
    """
    return int(text.translate(_DOWN))
