r"""Read mathtext and texts with scripts, once, and write them as plain Unicode or as HTML.

Formulas are written in TeX's mathtext, and stand between dollars where they are part of a text.
The rest of a text for people may have sub- and superscripts without dollars: ``δ_max``,
``w_i[0]``, ``λ^(1/L)``, ``Π_{j≠i}``. Names of parameters, as ``step_size``, are no scripts: the
base of a subscript is a single letter.

>>> to_plain(r"δ_max is $\frac{2}{\sigma L}$")
'δₘₐₓ is 2/(σ L)'
>>> to_html(r"error $|w_i|$")
'error |<i>w</i><sub><i>i</i></sub>|'
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TypeAlias

from engine.text.scripts import lowered, raised

DEEPEST = 40
"""Groups within one another that are read; deeper braces are left out."""

_SIGNS = {
    **dict(
        zip(
            (
                "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho "
                "sigma tau upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi "
                "Omega varepsilon varphi ell"
            ).split(),
            "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩεφℓ",
            strict=True,
        )
    ),
    **dict(
        zip(
            (
                "leq le geq ge neq ne approx equiv times cdot pm mp infty partial nabla sum prod "
                "in notin to rightarrow mapsto Leftrightarrow Rightarrow iff forall exists top ast "
                "star circ dots ldots cdots prime langle rangle mid propto sim ll gg cup cap"
            ).split(),
            "≤≤≥≥≠≠≈≡×·±∓∞∂∇∑∏∈∉→→↦⇔⇒⇔∀∃⊤**∘……⋯′⟨⟩|∝∼≪≫∪∩",
            strict=True,
        )
    ),
    "leftarrow": "←",
    "lbrace": "{",
    "rbrace": "}",
    "Vert": "‖",
    "vert": "|",
    "|": "‖",
    "-": "−",
    **{sign: sign for sign in "{}%_$#&"},
    **dict.fromkeys(("left", "right", "displaystyle", "limits", "!"), ""),
}
_SPACES = {",", ";", ":", " ", "quad", "qquad"}
WORDS = {"max", "min", "log", "exp", "det", "sup", "inf"}
MARKS = {"hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "overline": "\u0304"}
MARKS |= {"tilde": "\u0303", "widetilde": "\u0303", "dot": "\u0307", "vec": "\u20d7"}
_UPRIGHT = {"mathrm", "text", "operatorname", "mathbf", "mathsf", "mathtt", "mathbb"}
_FONTS = {"mathit", "mathcal", "mathregular", "mathdefault", "boldsymbol"}
_FRACTIONS = {"frac", "dfrac", "tfrac"}
COMMANDS = {
    sign: "\\" + name + " "
    for name, sign in reversed(_SIGNS.items())
    if len(sign) == 1 and not sign.isascii()
} | {"−": "-", "²": "^2", "ᵀ": r"^\top ", "₁": "_1", "₂": "_2", "₀": "_0"}

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_GROUP = r"\{[^{}]*\}"
_PARENTHESES = r"\((?:[^()]|\([^()]*\))*\)"
_WORD = r"[−-]?[A-Za-z0-9α-ω]+"
_SCRIPT = re.compile(
    rf"(?<![\w.])(?P<base>[^\W\d_]|∏|∑)(?P<star>\*?)_(?P<sub>{_GROUP}|[A-Za-z0-9α-ω]+(?![A-Za-z0-9_]))"
    rf"|(?<=[\w)\]|‖*'²])\^(?P<sup>{_GROUP}|{_PARENTHESES}|{_WORD})"
)


@dataclass(frozen=True, slots=True)
class Text:
    """Letters as they stand."""

    text: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A variable of a formula, or a letter of an upright word in one."""

    text: str
    italic: bool = True


@dataclass(frozen=True, slots=True)
class Gap:
    r"""A space that only ends a command: ``\sigma L`` is σL where letters are italic."""


@dataclass(frozen=True, slots=True)
class Script:
    """What stands small, above or below the line."""

    inner: Tree
    above: bool


@dataclass(frozen=True, slots=True)
class Fraction:
    """A fraction, written in the line."""

    top: Tree
    bottom: Tree


@dataclass(frozen=True, slots=True)
class Root:
    """A square root."""

    inner: Tree


@dataclass(frozen=True, slots=True)
class Marked:
    """Something under a hat, a bar or another mark, which is a combining letter."""

    inner: Tree
    mark: str


Node: TypeAlias = "Text | Letter | Gap | Script | Fraction | Root | Marked"
Tree: TypeAlias = "tuple[Node, ...]"


def to_plain(text: str) -> str:
    """Return a text in plain Unicode, its scripts and the mathtext between dollars."""
    return "".join(
        plain_math(part) if odd else _plain(read_scripts(part)) for part, odd in parts(text)
    )


def to_html(text: str) -> str:
    """Return a text as HTML, its scripts and the mathtext between dollars typeset."""
    return "".join(
        html_math(part) if odd else _html(read_scripts(part)) for part, odd in parts(text)
    )


@lru_cache(maxsize=512)
def plain_math(mathtext: str) -> str:
    """Return mathtext (without dollars) in plain Unicode."""
    return re.sub(r" {2,}", " ", _plain(read(mathtext))).replace("-", "−").strip()


@lru_cache(maxsize=512)
def html_math(mathtext: str) -> str:
    """Return mathtext (without dollars) as HTML."""
    return _html(read(mathtext)).strip()


def with_commands(mathtext: str) -> str:
    r"""Return mathtext with Greek letters and signs as commands: ``δ ≤ 1`` is ``\delta \leq 1``."""
    return "".join(COMMANDS.get(sign, sign) for sign in mathtext)


def component_label(label: str, index: int) -> str:
    r"""Return the name of one line of a series of many: ``$w_{3}$`` for ``$w_i$``, index 2."""
    named, count = re.subn(r"_(?:i|\{i\})(?![A-Za-z])", f"_{{{index + 1}}}", label)
    return named if count else f"{label} #{index + 1}"


def read(mathtext: str) -> Tree:
    """Return the tree of mathtext (without dollars); unknown commands are their names."""
    return _Reader(_TOKEN.findall(mathtext)).whole()


def parts(text: str) -> list[tuple[str, bool]]:
    """Split a text at its dollars; say of each part whether it is mathtext."""
    parts = text.split("$")
    if len(parts) % 2 == 0:  # a lone dollar is just that
        return [(text, False)]
    return [(part, odd % 2 == 1) for odd, part in enumerate(parts)]


def read_scripts(text: str) -> Tree:
    """Return the tree of a text outside formulas."""
    if "_" not in text and "^" not in text:
        return (Text(text),)
    out: list[Node] = []
    end = 0
    for found in _SCRIPT.finditer(text):
        out.append(Text(text[end : found.start()]))
        end = found.end()
        script = found["sub"] if found["sup"] is None else found["sup"]
        inner = (Text(script[1:-1] if script[0] in "({" else script),)
        if found["sup"] is None:
            out.append(Text(found["base"] + found["star"]))
        out.append(Script(inner, above=found["sup"] is not None))
    return (*out, Text(text[end:]))


class _Reader:
    """A recursive-descent reader of mathtext tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._italic = True

    def whole(self) -> Tree:
        """Read to the end, beyond braces that nothing has opened."""
        out = self._sequence()
        while self._at < len(self._tokens):
            self._at += 1
            out += self._sequence()
        return out

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _sequence(self) -> Tree:
        out: list[Node] = []
        while self._peek() not in ("", "}"):
            out += self._item()
        return tuple(out)

    def _argument(self, italic: bool | None = None) -> Tree:
        """Read one group in braces, or one token."""
        before, self._italic = self._italic, self._italic if italic is None else italic
        while self._peek() == " ":
            self._at += 1
        out = self._item()
        self._italic = before
        return out

    def _item(self) -> Tree:
        token = self._peek()
        self._at += 1
        if not token or self._depth > DEEPEST:
            return ()
        self._depth += 1
        try:
            return self._of(token)
        finally:
            self._depth -= 1

    def _of(self, token: str) -> Tree:
        """Read what begins with a token."""
        if token == "{":
            out = self._sequence()
            self._at += 1  # the closing brace, if there is one
            return out
        if token in ("^", "_"):
            return (Script(self._argument(), above=token == "^"),)
        if token.startswith("\\") and len(token) > 1:
            return self._command(token[1:])
        if token.isalpha():
            return (Letter(token, self._italic),)
        return (Text("−" if token == "-" else token),)

    def _command(self, name: str) -> Tree:
        if name in _FRACTIONS:
            return (Fraction(self._argument(), self._argument()),)
        if name == "sqrt":
            return (Root(self._argument()),)
        if name in MARKS:
            return (Marked(self._argument(), MARKS[name]),)
        if name in _UPRIGHT:
            return self._argument(italic=False)
        if name in _FONTS:
            return self._argument()
        if name in _SPACES:
            return (Text(" "),)
        sign = _SIGNS.get(name, name)
        if name in WORDS or not sign[:1].isalpha() or sign.isupper():
            return (Text(sign),)
        if self._peek() != " ":
            return (Letter(sign, self._italic),)
        self._at += 1
        return Letter(sign, self._italic), Gap()


def _is_single(tree: Tree) -> bool:
    """Return whether a tree needs no brackets as part of a fraction: a letter or a number."""
    seen = [node for node in tree if not isinstance(node, Script | Gap) and node != Text(" ")]
    if len(seen) <= 1:
        return not any(isinstance(node, Fraction) for node in seen)
    return all(
        isinstance(node, Text) and (node.text.isdigit() or node.text == ".") for node in seen
    )


def _plain(tree: Tree) -> str:
    """Write a tree as plain Unicode."""
    return "".join(_plain_node(node) for node in tree)


def _plain_node(node: Node) -> str:
    match node:
        case Text(text) | Letter(text):
            return text
        case Gap():
            return " "
        case Script(inner, above):
            script = _plain(inner)
            return raised(script) if above else lowered(script)
        case Fraction(top, bottom):
            return f"{_plain_part(top)}/{_plain_part(bottom)}"
        case Root(inner):
            return f"√{_plain_part(inner)}"
        case Marked(inner, mark):
            return unicodedata.normalize("NFC", _plain(inner) + mark)


def _plain_part(tree: Tree) -> str:
    text = _plain(tree).strip()
    return text if _is_single(tree) else f"({text})"


def _html(tree: Tree) -> str:
    """Write a tree as HTML, letters side by side in one element."""
    return "".join(_html_node(node) for node in tree).replace("</i><i>", "")


def _html_node(node: Node) -> str:
    match node:
        case Text(text):
            return escape(text, quote=False)
        case Letter(text, italic):
            return f"<i>{escape(text)}</i>" if italic else escape(text)
        case Gap():
            return ""
        case Script(inner, above):
            tag = "sup" if above else "sub"
            return f"<{tag}>{_html(inner).replace('-', '−')}</{tag}>"
        case Fraction(top, bottom):
            return f"{_html_part(top)}/{_html_part(bottom)}"
        case Root(inner):
            return f"√{_html_part(inner)}"
        case Marked(inner, mark):
            letters = unicodedata.normalize("NFC", _plain(inner) + mark)
            italic = all(isinstance(part, Letter) and part.italic for part in inner)
            return _html_node(Letter(letters) if italic else Text(letters))


def _html_part(tree: Tree) -> str:
    text = _html(tree).strip()
    return text if _is_single(tree) else f"({text})"
