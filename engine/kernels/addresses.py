"""Calls of kernels through their addresses.

What a kernel calls by name LLVM compiles anew as a part of it, which takes seconds where that is an
interpreter. A kernel that is called through its address is compiled once, on its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.core import cgutils, types
from numba.extending import intrinsic


def address_of(function: Callable[..., object], *args: object) -> int:
    """Return the address of a kernel, compiled for arguments of these types.

    Parameters
    ----------
    function : callable
        A kernel that returns nothing.
    *args
        Arguments of the types that it will be called with.
    """
    dispatcher: Any = function
    typeof: Any = numba.typeof
    signature = tuple(typeof(arg) for arg in args)
    dispatcher.compile(signature)
    compiled = dispatcher.overloads[signature]
    if compiled.signature.return_type != types.none:
        raise TypeError(f"{dispatcher.py_func.__name__} returns something")
    address: int = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    return address


def _call(_context: Any, _address: Any, args: Any) -> Any:
    """Call the kernel at an address with a tuple of arguments.

    Their types must be those that `address_of` had; arrays must be contiguous.
    """

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kinds = tuple(signature.args[1])
        convention = context.call_conv
        kind = convention.get_function_type(types.none, kinds)
        pointer = builder.inttoptr(given[0], kind.as_pointer())
        unpack: Any = cgutils.unpack_tuple
        values = unpack(builder, given[1], len(kinds))
        convention.call_function(builder, pointer, types.none, kinds, values)
        return context.get_dummy_value()

    return types.none(types.int64, args), generate


call: Any = intrinsic(_call)
"""Calls the kernel at an address, an int, with a tuple of arguments; for kernels."""
