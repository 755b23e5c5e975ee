r"""Texts for TeX: formulas as they are, and nothing of a user's words as a command."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.text import tex
from engine.text.tex import escaped, to_tex

OWN = r"\\(?:[a-zA-Z]+|[{}%#&_$,])"
"""What the writer puts behind a backslash."""
WRITTEN = {
    command
    for table in (tex._SPECIAL, tex._MATH)
    for text in table.values()
    for command in re.findall(r"\\[a-zA-Z]+", text)
} | {f"\\{name}" for name in (*tex.WORDS, *tex.MARKS, "mathrm", "frac", "sqrt", "prime")}

HARMFUL = [
    *(r"\input", r"\write18", "^^5c", "{", "}", "$", "$$", "%", "#", "&", "~", "_", "^"),
    *(r"\frac", r"\sqrt", r"\hat", r"\left", r"\end{document}", r"\def\x", "\\", "\\\\"),
    *("'", "²", "ₙ", "δ", "′", " ", "\n\n", '"', "`", "<", "é", "漢", "\x00", r"\csname"),
]

hostile = st.lists(
    st.one_of(
        st.sampled_from(HARMFUL),
        st.text(max_size=3),
    ),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (r"$\frac{2}{\sigma L}$", r"$\frac{2}{\sigma L}$"),
        ("δ_max", r"$\delta $$_{\mathrm{max}}$"),
        (r"$\hat w_{\mathrm{max}}$ in %", r"$\hat{w}_{\mathrm{max}}$ in \%"),
        ("$w_i^2$", "$w_{i}^{2}$"),
        (r"$\mathrm{held out}$", r"$\mathrm{held}\,\mathrm{out}$"),
        (r"$\beta_1 = 0.9$", r"$\beta _{1}=0.9$"),
        ("5 $", r"5 \$"),
        (r"$\input{/etc/passwd}$", r"$\mathrm{input}/etc/passwd$"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("$a_b_c^d^e$", "$a_{b}{}_{c}^{d}{}^{e}$"),
        ("$x''$", r"$x^{\prime}{}^{\prime}$"),
        ("$$", ""),
    ],
)
def test_formulas_are_written_from_what_was_read(text: str, written: str) -> None:
    assert to_tex(text) == written


@given(hostile)
@example("$^^5cinput{x}$")
@example(r"$\frac$ $\hat$ $^$ $_$ ${$ $}$")
@example("$a^²²$")
def test_no_text_reaches_tex_as_a_command(text: str) -> None:
    for written in (to_tex(text), escaped(text)):
        assert written.isascii() and written.isprintable()
        assert set(re.findall(r"\\[a-zA-Z]+", written)) <= WRITTEN
        rest = re.sub(OWN, "", written)
        assert "\\" not in rest
        assert not set(rest) & set("%#&~")
        assert "^^" not in rest
        assert _is_balanced(rest)
        for formula in re.findall(r"\$([^$]*)\$", rest):
            assert formula and not re.search(r"[_^](?!\{)", formula)


def _is_balanced(rest: str) -> bool:
    depth = 0
    for letter in rest:
        depth += (letter == "{") - (letter == "}")
        if depth < 0:
            return False
    return depth == 0 and rest.count("$") % 2 == 0


@given(hostile)
def test_no_two_scripts_stand_on_one_side(text: str) -> None:
    group = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
    assert not re.search(rf"([_^]){group}(?:[_^]{group})?\1", to_tex(text).replace("{}", "x"))


@pytest.mark.parametrize("text", ["→ & x", r"$\to \& x$", r"$a \rightarrow b$"])
def test_what_pgfplots_takes_for_its_own_is_written_otherwise(text: str) -> None:
    assert not re.search(r"\\to\b|\\&", to_tex(text))
