"""At most one start of a run in flight: what is asked meanwhile waits for its first picture.

Dragging what begins a new run asks for a start with every move of the mouse. If each were begun at
once, each would overtake the last before that had made a picture, and the plots would stand still
until the mouse rests. So the newest start waits until the one in flight has made its first picture,
and replaces one that waits already, with the commands to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

Command: TypeAlias = Callable[[], None]
Admitted: TypeAlias = "tuple[Gate, tuple[Command, ...]]"


@dataclass(frozen=True, slots=True)
class Gate:
    """What is on its way to the engine.

    Attributes
    ----------
    in_flight : str
        Experiment of the run that was started and has made no picture; empty if there is none.
    held : tuple of callable
        The start that waits, of the same experiment, and the commands that came after it.
    """

    in_flight: str = ""
    held: tuple[Command, ...] = ()

    def start(self, experiment: str, command: Command) -> Admitted:
        """Admit a start of an experiment's run.

        Returns
        -------
        gate : Gate
            The gate after it.
        commands : tuple of callable
            To be carried out now.
        """
        if experiment == self.in_flight:
            return replace(self, held=(command,)), ()
        # The engine must learn of a start that waits, since the older run must not be resumed.
        return Gate(experiment), (*self.held, command)

    def send(self, command: Command) -> Admitted:
        """Admit a command to the run that was asked for last; returns as `start`."""
        if self.held:
            return replace(self, held=(*self.held, command)), ()
        return self, (command,)

    def begun(self) -> Admitted:
        """Note that the run in flight has made a picture or failed; returns as `start`."""
        return Gate(self.in_flight if self.held else ""), self.held
