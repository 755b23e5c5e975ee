"""The one way in which this project compiles a kernel.

A kernel has machine code, which Python calls. What kernels call, helpers and other kernels, is
linked into their own code and optimised with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.registry import CPUDispatcher

from engine.core.compiled import Compiling, NotCompiled, compiling, report_compiled
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
INTERPRETED_SECONDS = 0.25
"""A plain kernel is compiled when its interpreted calls have taken so long."""

_interpreting: ContextVar[bool] = ContextVar("_interpreting", default=False)


class _Dispatcher(CPUDispatcher):
    """Numba's compiler of one function.

    Numba compiles a kernel anew for every constant that another kernel calls it with. Here a
    constant is an argument like any other, which halves what some families compile; LLVM still
    inlines small kernels and folds constants into them.
    """

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return the signature for a call from another kernel, and compile it if it is new."""
        unliteral: Callable[[Any], Any] = types.unliteral
        named = {name: unliteral(arg) for name, arg in kws.items()}
        return super().get_call_template(tuple(unliteral(arg) for arg in args), named)


class _LinkedCode(JITCodeLibrary):
    """The code of a helper, simplified function by function: kernels link it and are optimised.

    Numba would optimise all that a helper calls together with it and make machine code of it, which
    nothing calls, and then optimise a copy once more in every kernel. Without the passes over
    each function the kernels of the scalar double network would be three times as slow.
    """

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()  # type: ignore[no-untyped-call]
        self._verify_declare_only_symbols()  # type: ignore[no-untyped-call]
        self._finalized = True


class _HelperCompiler(Compiler):
    """Numba's compiler up to LLVM's code, without machine code."""

    def __init__(self, typing: Any, target: Any, library: Any, *rest: Any) -> None:
        super().__init__(typing, target, library, *rest)  # type: ignore[no-untyped-call]
        self.state.library = _LinkedCode(target.codegen(), "helper")  # type: ignore[no-untyped-call]
        self.state.flags.no_compile = True


class _Helper(_Dispatcher):
    """A function that kernels call, without machine code or an entry of its own."""

    def add_overload(self, cres: Any) -> None:
        """Note a compiled form for the calls of other kernels, and for them alone."""
        entry = object()  # calls are found by it; numba's own is machine code
        target: Any = self.targetctx
        target.insert_user_function(entry, cres.fndesc, [cres.library])
        self.overloads[tuple(cres.signature.args)] = cres._replace(entry_point=entry)

    def _compile_for_args(self, *args: object, **named: object) -> Callable[..., object]:
        """Return what numba then calls with the arguments."""
        if _interpreting.get():
            return self.py_func
        raise TypeError(f"{self.py_func.__name__} can be called from kernels only")


class _Kernel(_Dispatcher):
    """A function that Python calls, with a cache of this project.

    Parameters
    ----------
    function : callable
    plain : bool
        Whether it may be interpreted (`plain_kernel`).
    """

    def __init__(self, function: Callable[..., object], plain: bool = False) -> None:
        super().__init__(py_func=function, locals={}, targetoptions=dict(_OPTIONS))
        self._linked = _helper(function)
        self._left = INTERPRETED_SECONDS if plain else 0.0
        if user_folder() is not None or is_frozen():
            self._cache = KernelCache(function)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return the signature for a call from another kernel, which links the code."""
        return self._linked.get_call_template(args, kws)

    def get_overload(self, sig: Any) -> Any:
        """Return what a call from another kernel is found by."""
        return self._linked.get_overload(sig)

    def compile(self, sig: Any) -> Any:
        """Return the machine code for a signature, from the cache or compiled."""
        if compiling() is Compiling.NEVER and not self._is_there(tuple(sig)):
            raise NotCompiled(self.py_func.__name__)
        misses: dict[Any, int] = self._cache_misses  # type: ignore[attr-defined]
        known = sum(misses.values())
        entry = super().compile(sig)
        if sum(misses.values()) > known:
            report_compiled(self.py_func.__name__)
        return entry

    def _compile_for_args(self, *args: object, **named: object) -> Callable[..., object]:
        """Return what numba then calls with the arguments."""
        if _interpreting.get():
            return self.py_func
        if self._is_interpreted(args):
            return self._interpret
        compiled: Callable[..., object] = super()._compile_for_args(*args, **named)  # type: ignore[misc]
        return compiled

    def _interpret(self, *args: object) -> object:
        begin, token = time.perf_counter(), _interpreting.set(True)
        try:
            with np.errstate(all="ignore"):
                return self.py_func(*args)
        except (ArithmeticError, ValueError):  # of Python's own floats, for what is inf or nan
            self._left = 0.0
        finally:
            _interpreting.reset(token)
            self._left -= time.perf_counter() - begin
        return self(*args)

    def _is_interpreted(self, args: tuple[object, ...]) -> bool:
        if self._left <= 0.0 or compiling() is Compiling.ALWAYS:
            return False
        return not self._is_there(tuple(self.typeof_pyval(arg) for arg in args))

    def _is_there(self, sig: tuple[Any, ...]) -> bool:
        """Return whether the machine code for a signature can be had without compiling it.

        Where nothing is kept it never can, and compiling cannot be left to another process.
        """
        if sig in self.overloads or not isinstance(self._cache, KernelCache):
            return True
        return self._cache.has(sig, self.targetctx)


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function with numba: GIL released, cached on disk, IEEE arithmetic.

    Fast-math stays off so that a run split into chunks has the same bits as one long run,
    and division by zero gives inf or nan, as in NumPy, because divergence is an outcome.
    """
    return cast("Callable[_P, _R]", _Kernel(function))


def plain_kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function as `kernel` does, but let Python interpret it for a moment.

    Only for what a first picture needs, so that this one need not wait for a compiler: functions
    of loops, array elements, + - * / and square roots, which IEEE 754 rounds alike whoever carries
    them out, that write nothing they read before.
    """
    return cast("Callable[_P, _R]", _Kernel(function, plain=True))


def helper(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function for calls from kernels only, as a part of them.

    Called from Python, which has no entry to it, it raises a TypeError.
    """
    return cast("Callable[_P, _R]", _helper(function))


def inner(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function as `helper` does, without counting references to arrays.

    An array that is taken out of a record costs an atomic increment and decrement, as long as a
    step of a small network for a few of them. Whoever calls holds the arrays, so the function needs
    no counts; it may neither make nor return arrays (numba refuses to compile one that makes them).
    """
    return cast("Callable[_P, _R]", _helper(function, _nrt=False))


def _helper(function: Callable[..., object], **options: bool) -> _Helper:
    chosen = {**_OPTIONS, "no_cpython_wrapper": True, **options}
    return _Helper(
        py_func=function, locals={}, targetoptions=chosen, pipeline_class=_HelperCompiler
    )
