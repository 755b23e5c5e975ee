"""The reader of mathtext and of texts with scripts, and its two writers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text.mathtext import component_label, html_math, plain_math, to_html, to_plain

MATHS = st.text(alphabet=r"\{}^_$ab1δ|-<&/ " + "frachtsqmx", max_size=40)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain & <b>", "plain &amp; &lt;b&gt;"),
        ("costs 5$", "costs 5$"),
        ("$w_i$", "<i>w</i><sub><i>i</i></sub>"),
        (r"$\lambda^{1/L}$", "<i>λ</i><sup>1/<i>L</i></sup>"),
        (r"$\delta_{\max}$", "<i>δ</i><sub>max</sub>"),
        (r"$\delta S/2$", "<i>δS</i>/2"),
        (r"$\|R\|_2 \leq 1$", "‖<i>R</i>‖<sub>2</sub> ≤ 1"),
        (r"$\frac{2}{\sigma L}$", "2/(<i>σL</i>)"),
        (r"$\sqrt{x}$", "√<i>x</i>"),
        (r"$\mathrm{tr}\,W$", "tr <i>W</i>"),
        (r"$\hat{w}$", "<i>ŵ</i>"),
        ("$x^ab$", "<i>x</i><sup><i>a</i></sup><i>b</i>"),
        ("$a - b$", "<i>a</i> − <i>b</i>"),
        ("error $|e|$ at $k$", "error |<i>e</i>| at <i>k</i>"),
        (r"$\unknown{x$", "<i>unknown</i><i>x</i>".replace("</i><i>", "")),
    ],
)
def test_mathtext_becomes_html(text: str, html: str) -> None:
    assert to_html(text) == html


@given(st.text(alphabet=r"\{}^_$ab1δ|-<&/ " + "frac", max_size=30))
def test_any_text_can_be_typeset(text: str) -> None:
    assert to_html(text).count("<i>") == to_html(text).count("</i>")
    to_plain(text)


def test_components_are_named_by_their_index() -> None:
    assert component_label("$w_i$", 2) == "$w_{3}$"
    assert component_label(r"$\lambda_{i}(W)$", 0) == r"$\lambda_{1}(W)$"
    assert component_label("weights", 6) == "weights #7"
    assert component_label(r"$w_{in}$", 1) == r"$w_{in}$ #2"


@pytest.mark.parametrize(
    ("mathtext", "written"),
    [
        (r"\delta_{\max} = \frac{2}{\sigma L}", "δₘₐₓ = 2/(σ L)"),
        (r"\frac{1}{L\sigma}", "1/(Lσ)"),
        (r"\frac{\delta}{\delta_{wz}}", "δ/δwz"),
        (r"\frac{1}{12}", "1/12"),
        (r"|\lambda|^{-2(L-1)/L}", "|λ|^(−2(L−1)/L)"),
        (r"\hat{f} - x^ab", "f̂ − xᵃb"),
        (r"a } b", "a b"),
    ],
)
def test_mathtext_becomes_plain_unicode(mathtext: str, written: str) -> None:
    assert plain_math(mathtext) == written


@given(MATHS)
def test_both_writers_write_the_same_letters(mathtext: str) -> None:
    """What HTML shows without its tags are the letters of the plain text."""
    seen = re.sub(r"<[^>]*>", "", html_math(mathtext))
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", '"')):
        seen = seen.replace(entity, sign)
    written = plain_math(mathtext)
    if not set("^_") & set(mathtext):
        assert seen.replace(" ", "") == written.replace(" ", "")


@pytest.mark.parametrize("braces", ["{" * 10_000, r"\hat" * 10_000, "^" * 10_000, "}" * 10_000])
def test_deep_mathtext_is_cut_off(braces: str) -> None:
    assert plain_math(f"a{braces}b").startswith("a")
    assert html_math(f"a{braces}b").startswith("<i>a")
