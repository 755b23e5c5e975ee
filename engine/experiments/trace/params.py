"""Parameters of a recorded run."""

from __future__ import annotations

from typing import Literal

from engine.core.params import Params, param
from engine.families.hyperparameters import hyperparameter
from engine.theory.optimisers import OptimiserDescription, Setting, describe

_RECORD, _DESCENT = "Recording", "Descent"
EXAMPLE = "example"
"""Word for the bundled trace."""
EXAMPLE_LOG = "the bundled example log"


class TraceParams(Params):
    """What was recorded, and how the run was made."""

    file: str = param(
        EXAMPLE,
        "CSV, NPY, NPZ, safetensors or JSON lines (.jsonl) with columns step, loss, sharpness or "
        "eigenvalues, perhaps lr for the step size; or example.",
        group=_RECORD,
        widget="file",
        keywords=(EXAMPLE,),
    )
    follow: bool = param(
        True,
        "Whether to wait at the end of JSON lines for more, as of a run that is going on.",
        label="Wait for more",
        group=_RECORD,
        live=True,
    )
    interval: int = param(
        1,
        "Steps from one row to the next, where there is no column of steps.",
        label="Steps a row",
        group=_RECORD,
        ge=1,
        le=1_000_000,
    )
    optimiser: Literal["gradient-descent", "heavy-ball", "nesterov", "rmsprop", "adam", "adamw"] = (
        param(
            "gradient-descent",
            "How the steps were made; of Adam and its like the sharpness must be that "
            "of the preconditioned Hessian.",
            group=_DESCENT,
        )
    )
    step_size: float = param(
        0.4,
        "Step size of the run, where there is no column of step sizes.",
        symbol=r"\delta",
        group=_DESCENT,
        ge=1e-12,
        le=1e6,
        log=True,
    )
    momentum: float = hyperparameter(
        "momentum", ["heavy-ball", "nesterov", "adam", "adamw"], group=_DESCENT, live=False
    )

    @property
    def described(self) -> OptimiserDescription:
        """The optimiser's description: its threshold, in numbers and in words."""
        return describe(self.optimiser)

    @property
    def symbol(self) -> str:
        """Mathtext of the curvature that counts for the optimiser."""
        return r"\lambda_{\max}(P^{-1}H)" if self.described.is_adaptive else "S"

    @property
    def limit(self) -> float:
        """Largest stable step size times curvature."""
        found = self.described.limit(Setting(optimiser=self.optimiser, momentum=self.momentum))
        assert found is not None  # those that may be chosen have one
        return found
