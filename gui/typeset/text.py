r"""Mathtext written as plain Unicode: for screen readers, tooltips, and until it is typeset.

``plain_math(r"\delta_{\max} = \frac{2}{\sigma L}")`` is ``"δₘₐₓ = 2/(σ L)"``.
"""

from __future__ import annotations

import re

from engine.text.notation import lowered, plain, raised

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}^_]|[^\\{}^_]", re.DOTALL)

_NAMES = {
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
    "max": "max",
    "min": "min",
    "log": "log",
    "exp": "exp",
    "det": "det",
    "sup": "sup",
    "inf": "inf",
    "quad": " ",
    "qquad": " ",
    "lbrace": "{",
    "rbrace": "}",
    "Vert": "‖",
    "vert": "|",
    "left": "",
    "right": "",
    "displaystyle": "",
    "limits": "",
}
_MARKS = {"hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "overline": "\u0304"}
_MARKS |= {"tilde": "\u0303", "widetilde": "\u0303", "dot": "\u0307", "vec": "\u20d7"}
_FONTS = {"mathrm", "mathbf", "mathit", "mathcal", "mathbb", "mathsf", "text", "operatorname"}
_FONTS |= {"mathtt", "mathregular", "boldsymbol", "mathdefault"}
_FRACTIONS = {"frac", "dfrac", "tfrac"}
_ESCAPES = {r"\|": "‖", r"\{": "{", r"\}": "}", r"\,": " ", r"\;": " ", r"\:": " ", r"\!": ""}
_ESCAPES |= {r"\ ": " ", r"\%": "%", r"\_": "_", r"\$": "$", r"\#": "#"}


_COMMANDS = {
    sign: "\\" + name + " "
    for name, sign in reversed(_NAMES.items())
    if len(sign) == 1 and not sign.isascii()
} | {"−": "-", "²": "^2", "ᵀ": r"^\top ", "₁": "_1", "₂": "_2", "₀": "_0"}


def with_commands(mathtext: str) -> str:
    r"""Write Greek letters and signs as commands: ``δ ≤ 1`` becomes ``\delta  \leq  1``."""
    return "".join(_COMMANDS.get(sign, sign) for sign in mathtext)


def plain_math(mathtext: str) -> str:
    """Write mathtext (without dollars) as plain Unicode."""
    text = _Reader(_TOKEN.findall(mathtext)).sequence()
    return re.sub(r" {2,}", " ", text).replace("-", "−").strip()


def plain_text(text: str) -> str:
    """Write a text as plain Unicode, its scripts and the mathtext between dollars."""
    parts = text.split("$")
    if len(parts) % 2 == 0:  # a lone dollar is just that
        return plain(text)
    return "".join(plain_math(part) if odd % 2 else plain(part) for odd, part in enumerate(parts))


class _Reader:
    """A recursive-descent reader of mathtext tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def sequence(self) -> str:
        out = ""
        while self._at < len(self._tokens) and self._tokens[self._at] != "}":
            out += self._item()
        return out

    def _argument(self) -> str:
        """Read one group in braces, or one token."""
        while self._at < len(self._tokens) and self._tokens[self._at] == " ":
            self._at += 1
        if self._at >= len(self._tokens):
            return ""
        if self._tokens[self._at] != "{":
            return self._item()
        self._at += 1
        out = self.sequence()
        self._at += 1  # the closing brace, if there is one
        return out

    def _item(self) -> str:
        token = self._tokens[self._at]
        if token == "{":
            return self._argument()
        self._at += 1
        if token == "^":
            return raised(self._argument())
        if token == "_":
            return lowered(self._argument())
        if token.startswith("\\"):
            return self._command(token)
        return token

    def _command(self, token: str) -> str:
        name = token[1:]
        if token in _ESCAPES:
            return _ESCAPES[token]
        if name in _FRACTIONS:
            top, bottom = self._argument(), self._argument()
            return f"{_bracketed(top)}/{_bracketed(bottom)}"
        if name == "sqrt":
            return "√" + _bracketed(self._argument())
        if name in _MARKS:
            return self._argument() + _MARKS[name]
        if name in _FONTS:
            return self._argument()
        return _NAMES.get(name, name)


def _bracketed(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 1 or text.isalnum() else f"({text})"
