"""Which pool of workers does some work."""

from __future__ import annotations

from engine.executors.executor import Executor


def pool(
    *,
    has_threads: bool,
    scheduler: str = "",
    workers: int | None = None,
    niceness: int = 0,
) -> Executor:
    """Start workers: a cluster's, or threads where these serve, or processes.

    Parameters
    ----------
    has_threads : bool
        Whether the jobs release the GIL, so that threads serve.
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
    if scheduler:
        from engine.executors.cluster import Cluster

        return Cluster(scheduler)
    if has_threads:
        from engine.executors.threads import Threads

        return Threads(workers)
    from engine.executors.processes import Processes

    return Processes(workers, niceness)
