"""Machine code that is made once and kept, made at once or in a thread of its own."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar, cast

from llvmlite import ir
from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

_Code = TypeVar("_Code")


class CodeStore(Generic[_Code]):
    """The codes that were used last, by all that they depend on.

    Attributes
    ----------
    kept : int
        How many there are at most.
    """

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self._made: OrderedDict[Hashable, _Code] = OrderedDict()
        self._pending: set[Hashable] = set()

    def ready(self, key: Hashable) -> _Code | None:
        """Return a code if it is made, at once."""
        return self._made.get(key)

    def made(self, key: Hashable, make: Callable[[], _Code]) -> _Code:
        """Return a code, made now if it is not there."""
        with global_compiler_lock:
            code = self._made.pop(key, None) or make()
            self._made[key] = code
            while len(self._made) > self.kept:
                self._made.popitem(last=False)
        return code

    def start(self, key: Hashable, make: Callable[[], _Code]) -> None:
        """Make a code in a thread of its own, unless it is made or being made."""
        if key in self._made or key in self._pending:
            return
        self._pending.add(key)

        def work() -> None:
            try:
                self.made(key, make)
            finally:
                self._pending.discard(key)

        threading.Thread(target=work, name="tape compiler").start()


class _StraightCode(JITCodeLibrary):
    """Code that is written as it is to run, compiled without a pass over it.

    Every value of it is computed once, and what is the same at every step before the first: passes
    would take as long as the rest and find nothing.
    """

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = cast("Any", self)._codegen._data_layout  # noqa: SLF001

    def _optimize_final_module(self) -> None:
        pass


def assemble(
    name: str, write: Callable[[Any], None], *, with_passes: bool = False
) -> tuple[object, int]:
    """Compile a function that is called as `engine.kernels.tape.machine.interpret` is.

    Parameters
    ----------
    name : str
    write : callable
        Writes the body of a function of LLVM's.
    with_passes : bool
        Whether LLVM's passes are worth their time: where packs are wider than a register.

    Returns
    -------
    library : object
        The code lasts as long as this.
    address : int
    """
    with global_compiler_lock:
        target: Any = cpu_target.target_context
        kind: Any = JITCodeLibrary if with_passes else _StraightCode
        library: Any = kind(target.codegen(), name)
        module = library.create_ir_module(name)
        shape = target.call_conv.get_function_type(types.none, (types.int64,) * 8)
        write(ir.Function(module, shape, name))
        library.add_ir_module(module)
        library.finalize()
        return library, library.get_pointer_to_function(name)
