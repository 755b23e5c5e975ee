r"""Write texts for TeX from the trees of `engine.text.mathtext`, which hold no commands.

Nothing of a text reaches TeX as a command: what is between dollars is read first, and what was read
is written with the commands of this module alone. So whatever a user calls a run or a plot is
typeset as letters, and every text makes a document that compiles.

>>> to_tex(r"δ_max is $\frac{2}{\sigma L}$ for \input{x}")
'$\\delta $$_{\\mathrm{max}}$ is $\\frac{2}{\\sigma L}$ for \\textbackslash{}input\\{x\\}'
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from engine.text.mathtext import (
    COMMANDS,
    MARKS,
    WORDS,
    Fraction,
    Gap,
    Letter,
    Marked,
    Node,
    Root,
    Script,
    Text,
    Tree,
    parts,
    read,
    read_scripts,
)
from engine.text.scripts import unscripted

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "%": r"\%",
    "&": r"{\char38}",  # the legends of pgfplots take \& for something else
    "_": r"\_",
    "$": r"\$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    '"': "''",
    **{sign: f"${sign}$" for sign in "<>|"},
    "–": "--",
    "—": "---",
    **dict(zip("‘’“”", ("`", "'", "``", "''"), strict=True)),
    "…": r"\dots{}",
    "ß": r"\ss{}",
}
"""Letters of a text that TeX takes for something else."""
_MATH = {
    **COMMANDS,
    "\\": r"\backslash ",
    **{sign: f"\\{sign}" for sign in "{}#%_$"},
    "&": r"{\char38}",
    "~": r"\sim ",
    "^": r"\wedge ",
    "‖": r"\Vert ",
    "√": r"\surd ",
    "→": r"\rightarrow ",  # the legends of pgfplots end at \to
    "ϕ": r"\phi ",
    "…": r"\ldots ",
    "`": "'",
    " ": r"\,",
}
"""The same within a formula, and the signs that have a command there."""
_PRIME = (Text("′"),)
_ACCENTS = {mark: name for name, mark in reversed(MARKS.items())}


@lru_cache(maxsize=512)
def to_tex(text: str) -> str:
    """Return a text for TeX: what is between dollars is mathematics, the rest is words.

    Letters of Greek in the words become mathematics, which every font of TeX has; letters that no
    font of TeX is sure to have lose their marks, or are left out.
    """
    return "".join(
        _formula(read(part)) if is_math else "".join(map(_in_words, read_scripts(part)))
        for part, is_math in parts(" ".join(text.split()) if text.strip() else "")
    )


def escaped(text: str) -> str:
    """Return a text whose every letter is typeset as it stands, dollars and scripts too."""
    return _words(" ".join(text.split()))


def _formula(tree: Tree) -> str:
    inside = _math(tree).strip()
    return f"${inside}$" if inside else ""


def _in_words(node: Node) -> str:
    return _words(node.text) if isinstance(node, Text) else _formula((node,))


def _words(text: str) -> str:
    return "".join(_SPECIAL.get(letter) or _word_letter(letter) for letter in text)


def _word_letter(letter: str) -> str:
    """Write a letter of the words; a sign or a Greek letter is mathematics."""
    if letter.isascii():
        return letter if letter.isprintable() else ""
    written = _math_letter(letter)
    return written if written.isascii() and written.isalnum() else _dollars(written)


def _dollars(math: str) -> str:
    return f"${math}$" if math else ""


def _math_letter(letter: str) -> str:
    """Write one letter of a formula; nothing for one that TeX may lack."""
    script = unscripted(letter)
    if script is not None:
        above, base = script
        return f"{{}}{'^' if above else '_'}{{{_math_letter(base)}}}"
    if letter in _MATH:
        return _MATH[letter]
    if letter.isascii():
        return letter if letter.isprintable() else ""
    base = unicodedata.normalize("NFKD", letter)
    return "".join(each for each in base if each.isascii() and each.isalnum())


def _math(tree: Tree) -> str:
    """Write a tree as a formula; a second script on the same side stands on nothing."""
    out, taken = "", set[bool]()
    for place, each in enumerate(tree):
        if each == Text(" ") and not _parts_words(tree, place):
            continue
        node = _as_script(each)
        if not isinstance(node, Script):
            out += _math_node(node)
            taken = taken if isinstance(node, Gap) else set()
            continue
        if node.above in taken:
            out, taken = out + "{}", set()
        taken.add(node.above)
        out += f"{'^' if node.above else '_'}{{{_script(node.inner)}}}"
    return out.replace(r"}\mathrm{", "")


def _parts_words(tree: Tree, place: int) -> bool:
    """Return whether a space stands between upright words; elsewhere TeX spaces by itself."""
    around = tree[max(place - 1, 0) : place + 2]
    return len(around) == 3 and all(
        (isinstance(node, Letter) and not node.italic) or node == Text(" ") for node in around
    )


def _as_script(node: Node) -> Node:
    """Return a small letter, or a prime, as the script that it is."""
    if not isinstance(node, Text | Letter) or len(node.text) != 1:
        return node
    if node.text in "'′":
        return Script(_PRIME, above=True)
    small = unscripted(node.text)
    return node if small is None else Script((Text(small[1]),), above=small[0])


def _script(tree: Tree) -> str:
    """Write a script; a word outside a formula is upright, a single letter is not."""
    if tree in (_PRIME, (Text("'"),)):
        return r"\prime"
    if len(tree) == 1 and isinstance(tree[0], Text) and len(tree[0].text) > 1:
        word = tree[0].text
        return rf"\mathrm{{{_letters(word)}}}" if word.isalpha() else _letters(word)
    return _math(tree)


def _letters(text: str) -> str:
    return "".join(_math_letter(letter) for letter in text)


def _math_node(node: Node) -> str:
    match node:
        case Text(text) if text in WORDS:
            return f"\\{text} "
        case Text(text):
            return _letters(text)
        case Letter(text, italic):
            letters = _letters(text)
            if len(text) == 1 and (italic or not text.isascii()):
                return letters
            return rf"\mathrm{{{letters}}}"
        case Gap():
            return ""
        case Fraction(top, bottom):
            return rf"\frac{{{_math(top)}}}{{{_math(bottom)}}}"
        case Root(inner):
            return rf"\sqrt{{{_math(inner)}}}"
        case Marked(inner, mark):
            return f"\\{_ACCENTS[mark]}{{{_math(inner)}}}"
        case Script():
            return _math((node,))
