"""Which pool of workers makes a map."""

from __future__ import annotations

from engine.executors.executor import Executor
from engine.maps.kind import Prepared


def pool_for(
    prepared: Prepared, scheduler: str = "", workers: int | None = None, niceness: int = 0
) -> Executor:
    """Start the workers for a map: a cluster's, or threads where these serve, or processes.

    Parameters
    ----------
    prepared : Prepared
    scheduler : str, optional
        Address of a Dask scheduler; without one the work is done on this machine.
    workers : int, optional
        Threads or processes of this machine; as many as cores by default.
    niceness : int, optional
        How far processes stand back behind others, such as a window.

    Raises
    ------
    InputError
        If no scheduler answers at the address.
    LabError
        If a cluster cannot be used.
    """
    return pool(scheduler, workers, niceness, has_threads=prepared.has_threads)


def pool(
    scheduler: str = "", workers: int | None = None, niceness: int = 0, *, has_threads: bool
) -> Executor:
    """Start workers, which are threads if they serve and there is no cluster."""
    if scheduler:
        from engine.executors.cluster import Cluster

        return Cluster(scheduler)
    if has_threads:
        from engine.executors.threads import Threads

        return Threads(workers)
    from engine.executors.processes import Processes

    return Processes(workers, niceness)
