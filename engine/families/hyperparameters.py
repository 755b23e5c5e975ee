"""Hyperparameters of optimisers as parameters of experiments, from their one declaration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.core.params import param
from engine.theory.optimisers.description import HyperparameterName
from engine.theory.optimisers.hyperparameters import shared


def hyperparameter(
    name: HyperparameterName,
    optimisers: Sequence[str],
    *,
    group: str,
    default: float | None = None,
    live: bool = True,
    always: bool = False,
    more: str = "",
) -> Any:
    """Declare a parameter of an experiment.

    Parameters
    ----------
    name : str
    optimisers : sequence of str
        Those of the experiment that have it.
    group : str
        Heading on the form.
    default : float, optional
        The usual one if none is given.
    live : bool
        Whether it may change during a run.
    always : bool
        Whether it has an effect under all optimisers.
    more : str
        A further sentence of the help.
    """
    found = shared(name, optimisers)
    return param(
        found.default if default is None else default,
        f"{found.help} {more}".rstrip(),
        label=found.label,
        symbol=found.symbol,
        group=group,
        ge=found.ge,
        gt=found.gt,
        le=found.le,
        lt=found.lt,
        log=found.log,
        live=live,
        when=None if always else {"optimiser": list(optimisers)},
    )
