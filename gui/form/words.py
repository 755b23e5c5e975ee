"""Sentences about parameters in the words of the form: a field's label instead of its name."""

from __future__ import annotations

import re

from engine.core.params import Params, ParamSpec, describe
from engine.text.mathtext import plain_math

_REFUSAL = " is not allowed; "


def field_words(spec: ParamSpec) -> str:
    """Return a field's label and symbol as the form shows them: ``Step size δ``."""
    return f"{spec.label} {plain_math(spec.symbol)}".rstrip()


def in_words(sentence: str, model: type[Params]) -> str:
    """Let a sentence "name: … is not allowed; …" say the labels of the fields it is about.

    Only what begins with the name of a field is changed. What was given is left as it is; in the
    rest of the sentence only names are replaced that are no English words.
    """
    words = {spec.name: field_words(spec) for spec in describe(model)}
    name, colon, rest = sentence.partition(": ")
    if not colon or name not in words:
        return sentence
    given, refusal, allowed = rest.rpartition(_REFUSAL)
    for other, label in words.items():
        if "_" in other:
            allowed = re.sub(rf"\b{re.escape(other)}\b", label, allowed)
    return f"{words[name]}: {given}{refusal}{with_signs(allowed)}"


def with_signs(allowed: str) -> str:
    """Write ≤ and ≥ as on the plots, where the command line has <= and >=."""
    return allowed.replace("<=", "≤").replace(">=", "≥")
