r"""Write the tree of a typed function: as text that reads back to it, and as mathtext.

>>> from engine.expressions.grammar import read_tree
>>> to_mathtext(read_tree("(w1 w_2 - lambda)^2 / 2".replace("w1 ", "w1*")))
'\\frac{(w_{1} \\, w_{2} - \\lambda)^{2}}{2}'
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.expressions.tree import (
    Call,
    Fold,
    Item,
    Name,
    Node,
    Number,
    Power,
    Product,
    Sum,
    Whole,
)

_SUM, _PRODUCT, _POWER, _ATOM = range(4)
"""How tightly a part holds together: what is looser than its surroundings needs brackets."""
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega"
).split()
_LETTERS = {**{name: f"\\{name}" for name in _GREEK}, "omicron": "o"}
_LETTERS |= dict(zip("αβγδεζηθικλμνξπρστυφχψω", (f"\\{name}" for name in _GREEK), strict=True))
_LETTERS |= {
    name.capitalize(): f"\\{name.capitalize()}"
    for name in "gamma delta theta lambda xi pi sigma upsilon phi psi omega".split()
}
_LETTERS |= dict(
    zip("ΓΔΘΛΞΠΣΥΦΨΩ", (v for k, v in _LETTERS.items() if k[0].isupper()), strict=True)
)
_WORDS = {"exp", "log", "max", "min"}
"""Functions that mathtext sets upright by themselves."""
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_EXPONENT = re.compile(r"([0-9.]+)[eE]([+-]?)0*([0-9]+)")


def to_text(tree: Node) -> str:
    """Return a text that reads back to a tree, with one spelling of everything."""
    return _Text().write(tree, _SUM)


def to_mathtext(tree: Node) -> str:
    """Return a tree as mathtext, without dollars."""
    return _Mathtext().write(tree, _SUM)


def _without_sign(node: Node) -> Node | None:
    """Return a product that begins with a minus sign without it; None for any other part."""
    if not isinstance(node, Product):
        return None
    (divides, first), *rest = node.factors
    if divides or not isinstance(first, Sum) or len(first.terms) > 1:
        return None
    return Product(((False, first.terms[0][1]), *rest), node.place)


def _tightness(node: Node) -> int:
    if _without_sign(node) is not None:
        return _SUM
    match node:
        case Sum():
            return _SUM
        case Product() | Fold() | Whole():
            return _PRODUCT
        case Power():
            return _POWER
        case _:
            return _ATOM


class _Text:
    """Writes text as it is typed."""

    def write(self, node: Node, needed: int) -> str:
        """Write a part, in brackets where it is looser than `needed`."""
        text = self._part(node)
        return f"({text})" if self.tightness(node) < needed else text

    def tightness(self, node: Node) -> int:
        """Return how tightly what is written of a part holds together."""
        return _ATOM if isinstance(node, Fold | Whole) else _tightness(node)

    def _part(self, node: Node) -> str:
        match node:
            case Number(text=text):
                return self.number(text)
            case Name(text=text):
                return self.name(text)
            case Item(key=key, index=index):
                return self.item(key, index)
            case Sum(terms=terms):
                return self._sum(terms)
            case Product(factors=factors):
                positive = _without_sign(node)
                return self.product(factors) if positive is None else f"-{self._part(positive)}"
            case Power(base=base, exponent=exponent):
                return self.power(base, exponent)
            case Call(function=function, arguments=arguments):
                return self.call(function, arguments)
            case Fold():
                return self.fold(node)
            case Whole(kind=kind, key=key):
                return self.whole(kind, key)

    def _sum(self, terms: Sequence[tuple[bool, Node]]) -> str:
        out = ""
        for i, (negative, term) in enumerate(terms):
            begins = i == 0 and not negative and isinstance(term, Product)
            text = self.write(term, _SUM if begins else _PRODUCT)
            if i == 0:
                out = f"-{text}" if negative else text
            else:
                out += f" {'-' if negative else '+'} {text}"
        return out

    def number(self, text: str) -> str:
        """Write a number."""
        return text

    def name(self, text: str) -> str:
        """Write a name."""
        return text

    def item(self, key: str, index: Node) -> str:
        """Write an entry of a vector."""
        return f"{key}[{self.write(index, _SUM)}]"

    def product(self, factors: Sequence[tuple[bool, Node]]) -> str:
        """Write a product or quotient."""
        out = self.write(factors[0][1], _POWER)
        for divides, factor in factors[1:]:
            out += f" {'/' if divides else '*'} {self.write(factor, _POWER)}"
        return out

    def power(self, base: Node, exponent: Node) -> str:
        """Write a power."""
        return f"{self.write(base, _ATOM)}^{self.write(exponent, _POWER)}"

    def call(self, function: str, arguments: Sequence[Node]) -> str:
        """Write a function with its arguments."""
        return f"{function}({', '.join(self.write(each, _SUM) for each in arguments)})"

    def fold(self, node: Fold) -> str:
        """Write a sum or product over an index."""
        low, high = self.write(node.low, _SUM), self.write(node.high, _SUM)
        return f"{node.kind}({self.write(node.body, _SUM)}, {node.index.text} = {low}..{high})"

    def whole(self, kind: str, key: str) -> str:
        """Write a sum or product of all entries."""
        return f"{kind}({key})"


class _Mathtext(_Text):
    """Writes mathtext."""

    def tightness(self, node: Node) -> int:
        """Return how tightly what is written of a part holds together."""
        if isinstance(node, Number) and _EXPONENT.fullmatch(node.text):
            return _PRODUCT
        return _tightness(node)

    def number(self, text: str) -> str:
        """Write a number, in powers of ten where it was typed with an exponent."""
        found = _EXPONENT.fullmatch(text)
        if found is None:
            return text
        sign = "-" if found[2] == "-" else ""
        return rf"{found[1]} \times 10^{{{sign}{found[3]}}}"

    def name(self, text: str) -> str:
        """Write a name: digits at its end and what follows an underscore stand below the line."""
        base, _, script = text.translate(_LOWERED).partition("_")
        if not script:
            letters = base.rstrip("0123456789")
            base, script = letters, base[len(letters) :]
        upright = base if len(base) == 1 else rf"\mathrm{{{base}}}"
        letter = _LETTERS.get(base, upright)
        if not script:
            return letter
        return rf"{letter}_{{{self._script(script)}}}"

    def _script(self, script: str) -> str:
        if script in _LETTERS:
            return _LETTERS[script]
        return script if len(script) == 1 or script.isdigit() else rf"\mathrm{{{script}}}"

    def item(self, key: str, index: Node) -> str:
        """Write an entry of a vector."""
        return f"{self.name(key)}_{{{self.write(index, _SUM)}}}"

    def product(self, factors: Sequence[tuple[bool, Node]]) -> str:
        """Write a product, or a fraction."""
        above = [node for divides, node in factors if not divides]
        below = [node for divides, node in factors if divides]
        if not below:
            return self._side_by_side(above)
        top = self._side_by_side(above) if above else "1"
        return rf"\frac{{{top}}}{{{self._side_by_side(below)}}}"

    def _side_by_side(self, factors: Sequence[Node]) -> str:
        if len(factors) == 1:
            return self.write(factors[0], _SUM)
        out = ""
        for i, factor in enumerate(factors):
            is_last = i == len(factors) - 1
            loose = isinstance(factor, Fold | Whole) and not is_last
            text = self.write(factor, _ATOM if loose else _PRODUCT)
            if i:
                out += r" \cdot " if text[0].isdigit() or text.startswith("1 ") else r" \, "
            out += text
        return out

    def power(self, base: Node, exponent: Node) -> str:
        """Write a power; a function is put in brackets, for its argument has some already."""
        text = self.write(base, _ATOM)
        if isinstance(base, Call) and base.function not in ("abs",):
            text = f"({text})"
        return f"{text}^{{{self.write(exponent, _SUM)}}}"

    def call(self, function: str, arguments: Sequence[Node]) -> str:
        """Write a function with its arguments."""
        inside = ", ".join(self.write(each, _SUM) for each in arguments)
        if function == "sqrt":
            return rf"\sqrt{{{inside}}}"
        if function == "abs":
            return f"|{inside}|"
        name = f"\\{function}" if function in _WORDS else rf"\mathrm{{{function}}}"
        return f"{name}({inside})"

    def fold(self, node: Fold) -> str:
        """Write a sum or product over an index."""
        index, low, high = self.name(node.index.text), *map(self._bound, (node.low, node.high))
        return rf"\{node.kind}_{{{index}={low}}}^{{{high}}} {self.write(node.body, _PRODUCT)}"

    def _bound(self, node: Node) -> str:
        return self.write(node, _SUM)

    def whole(self, kind: str, key: str) -> str:
        """Write a sum or product of all entries."""
        return rf"\{kind}_{{i}} {self.name(key)}_{{i}}"
