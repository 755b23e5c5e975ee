"""What is known of an experiment before anything of it is imported."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Data that an experiment can be given after a download.

    Attributes
    ----------
    name : str
        Value of the experiment's parameter ``data`` that selects it.
    title : str
        Name for people.
    megabytes : int
        Size of the download.
    """

    name: str
    title: str
    megabytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The texts of an experiment, which stand here alone, and how a window should run it.

    A window lists what it has not imported yet: numpy and the models of the parameters take longer
    than the window itself.

    Attributes
    ----------
    id : str
        Public id, in kebab-case.
    title : str
        Name in the list.
    section : str
        Section of the paper, and what of it.
    summary : str
        One sentence.
    cadence : float
        Steps per second at which a newcomer should first see it play (the window's speed slider).
    picture_share : float
        Share of a core that pictures may take while a run goes as fast as it can; small where the
        steps need all cores, from which drawing takes it away.
    steps_per_call : int
        Steps made in one call at most while someone watches; 1 where a step may take long.
    long_step : str
        What a step does that takes much longer than those before it, as a state of the run.
    kernels : int
        Kernels that are compiled for a first picture and the first steps; 0 where nobody counted.
    opens_first : bool
        Whether a window opens this experiment when nothing is remembered of an earlier start.
    data_sets : tuple of DataSet
        What `AbstractExperiment.download` can fetch.
    needs : tuple of str
        Packages without which the experiment does not run, of those that may be left out.
    """

    id: str
    title: str
    section: str
    summary: str
    cadence: float = 60.0
    picture_share: float = math.inf
    steps_per_call: int = 10**9
    long_step: str = "Working…"
    kernels: int = 0
    opens_first: bool = False
    data_sets: tuple[DataSet, ...] = ()
    needs: tuple[str, ...] = ()
