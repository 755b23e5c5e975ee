"""The rooms of plots and figures import one another in one direction."""

from __future__ import annotations

import grimp
import pytest


@pytest.mark.parametrize("room", ["gui.plots", "engine.figures"])
def test_no_module_of_a_room_imports_itself_by_way_of_others(room: str) -> None:
    graph = grimp.build_graph("gui", "engine", cache_dir=None)
    modules = graph.find_descendants(room)
    assert modules
    circles = [
        (module, chain)
        for module in modules
        for imported in graph.find_modules_directly_imported_by(module)
        if (chain := graph.find_shortest_chain(imported, module))
    ]
    assert circles == []
