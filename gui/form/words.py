"""Sentences about parameters in the words of the form: a field's label instead of its name."""

from __future__ import annotations

import re

from engine.core.errors import Refusal
from engine.core.params import Params, ParamSpec, describe
from engine.text.mathtext import plain_math


def field_words(spec: ParamSpec) -> str:
    """Return a field's label and symbol as the form shows them: ``Step size δ``."""
    return f"{spec.label} {plain_math(spec.symbol)}".rstrip()


def in_words(refusal: Refusal, model: type[Params]) -> str:
    """Write a refusal with the labels of the fields that it is about.

    One that is about no field of the model is written as it is. Of what is allowed, only names are
    replaced that are no English words.
    """
    words = {spec.name: field_words(spec) for spec in describe(model)}
    if refusal.field not in words:
        return str(refusal)
    allowed = refusal.allowed
    for name, label in words.items():
        if "_" in name:
            allowed = re.sub(rf"\b{re.escape(name)}\b", label, allowed)
    return refusal.sentence(words[refusal.field], with_signs(allowed))


def with_signs(allowed: str) -> str:
    """Write ≤ and ≥ as on the plots, where the command line has <= and >=."""
    return allowed.replace("<=", "≤").replace(">=", "≥")
