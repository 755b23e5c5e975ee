"""Parameters that experiments with proofs share."""

from __future__ import annotations

from typing import Any, Literal

from engine.core.params import param

GROUP = "Proofs"
"""Heading of the form under which they stand."""
Function = Literal["loss", "quadratic", "typed"]
TYPED = "typed"


def asks_for_proofs() -> Any:
    """Declare whether proofs are made."""
    return param(
        False,
        "Prove in the background what can be proved of the dynamics with interval arithmetic: "
        "stability, instability, regions of attraction.",
        label="Prove",
        group=GROUP,
        live=True,
    )


def lyapunov_function() -> Any:
    """Declare which function V is."""
    return param(
        "loss",
        "The function V that should fall along runs: the loss, a quadratic form from Lyapunov's "
        "equation at the equilibrium, or one that you type.",
        symbol="V",
        group=GROUP,
        live=True,
        when={"prove": [True]},
    )


def typed_function(example: str) -> Any:
    """Declare the text of V."""
    return param(
        example,
        "V as a function of the weights.",
        label="V typed",
        group=GROUP,
        live=True,
        when={"prove": [True], "lyapunov": [TYPED]},
    )


def stability_radius() -> Any:
    """Declare the radius ε of the definition of stability."""
    return param(
        0.25,
        "Radius ε of the definition of stability: a radius r is proved such that runs that begin "
        "closer than r to the equilibrium stay closer than ε.",
        symbol=r"\epsilon",
        group=GROUP,
        gt=0,
        le=1e6,
        log=True,
        live=True,
        when={"prove": [True]},
        measures=True,
    )


def proof_cells() -> Any:
    """Declare the fineness of a proved region."""
    return param(
        256,
        "Cells along each axis of the grid on which the region of attraction is proved.",
        label="Cells",
        group=GROUP,
        ge=16,
        le=2000,
        live=True,
        when={"prove": [True]},
        measures=True,
    )


def compares_rules(**when: list[Any]) -> Any:
    """Declare whether step rules are compared, where other parameters have given values."""
    return param(
        False,
        "Compare what step rules do to the region of attraction, measured and proved: the fixed "
        "step, α/S, α/λ_max and Polyak's.",
        label="Compare step rules",
        group=GROUP,
        live=True,
        when={"prove": [True], **when},
    )
