"""The one way in which this project compiles a kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from numba.core import types
from numba.core.registry import CPUDispatcher

from engine.kernels.cache import KernelCache, is_frozen, require_baseline, user_folder

if is_frozen():
    require_baseline()

_P = ParamSpec("_P")
_R = TypeVar("_R")

_OPTIONS = {
    "nopython": True,
    "nogil": True,
    "error_model": "numpy",  # division by zero gives inf or nan: divergence is an outcome
    "no_cfunc_wrapper": True,  # nothing here is called from C
}


class _Kernel(CPUDispatcher):
    """Numba's compiler of one function, with a cache of this project.

    Numba compiles a kernel anew for every constant that another kernel calls it with. Here a
    constant is an argument like any other, which halves what some families compile; LLVM still
    inlines small kernels and folds constants into them.
    """

    def enable_caching(self) -> None:
        """Keep compiled forms on disk, where there is a place for them."""
        if user_folder() is not None or is_frozen():
            self._cache = KernelCache(self.py_func)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return the signature for a call from another kernel, and compile it if it is new."""
        unliteral: Callable[[Any], Any] = types.unliteral
        named = {name: unliteral(arg) for name, arg in kws.items()}
        return super().get_call_template(tuple(unliteral(arg) for arg in args), named)


class _Helper(_Kernel):
    """A kernel without an entry from Python, which would take a sixth of the time to compile."""

    def add_overload(self, cres: Any) -> None:
        """Note a compiled form for the calls of other kernels, and for them alone."""
        self.overloads[tuple(cres.signature.args)] = cres

    def _compile_for_args(self, *_args: object, **_named: object) -> None:
        raise TypeError(f"{self.py_func.__name__} can be called from kernels only")


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function with numba: GIL released, cached on disk, IEEE arithmetic.

    Fast-math stays off so that a run split into chunks has the same bits as one long run,
    and division by zero gives inf or nan, as in NumPy, because divergence is an outcome.
    """
    compiled = _Kernel(py_func=function, locals={}, targetoptions=dict(_OPTIONS))
    compiled.enable_caching()
    return cast("Callable[_P, _R]", compiled)


def helper(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function as `kernel` does, for calls from other kernels only.

    Called from Python, which has no entry to it, it raises a TypeError.
    """
    options = {**_OPTIONS, "no_cpython_wrapper": True}
    compiled = _Helper(py_func=function, locals={}, targetoptions=options)
    compiled.enable_caching()
    return cast("Callable[_P, _R]", compiled)


def inner(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function as `helper` does, without counting references to arrays.

    An array that is taken out of a record costs an atomic increment and decrement, as long as a
    step of a small network for a few of them. Whoever calls holds the arrays, so the function needs
    no counts; it may neither make nor return arrays (numba refuses to compile one that makes them).
    """
    options = {**_OPTIONS, "no_cpython_wrapper": True, "_nrt": False}
    compiled = _Helper(py_func=function, locals={}, targetoptions=options)
    compiled.enable_caching()
    return cast("Callable[_P, _R]", compiled)
