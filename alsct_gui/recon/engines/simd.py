"""Eight float32 values as one value of numba code: the lanes that all kernels run across.

LLVM does not vectorise loops of eight that follow each other through differing addresses,
so the kernels speak of vectors themselves. `load` gives eight neighbouring array elements,
``+ - *`` work on lanes and on lanes with a float32, `store` puts them back; `transpose`
turns an 8 x 8 block. On AVX2 and AVX-512 a value is one register, on NEON and SSE the
compiler takes two or four. Lanes never mix (but in `transpose`), so the bits of one lane do
not depend on the others. A product that is added may be fused (``contract``); nothing else
is reordered.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    register_model,
    type_callable,
)

LANES = 8
"""Values side by side."""

_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_INT32 = ir.IntType(32)
_INT64 = ir.IntType(64)
_FLAGS = ("contract",)


class LanesType(types.Type):
    """The numba type of eight float32 values."""

    def __init__(self) -> None:
        super().__init__(name="Float32Lanes8")


lanes = LanesType()


@register_model(LanesType)
class LanesModel(models.PrimitiveModel):
    """Lanes live in a vector register."""

    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _VECTOR)


def _indices(numbers: list[int]) -> Any:
    return ir.Constant(ir.VectorType(_INT32, LANES), numbers)


def _splat(builder: Any, scalar: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(first, undefined, _indices([0] * LANES))


def _result_type(left: Any, right: Any) -> Any:
    """Lanes with lanes or float32 give lanes; anything else is not ours (None)."""
    ours = left in (lanes, types.float32) and right in (lanes, types.float32)
    return lanes if ours and lanes in (left, right) else None


def _register(python_operator: Any, emit: Callable[[Any, Any, Any], Any]) -> None:
    @type_callable(python_operator)
    def type_operator(context: Any) -> Any:
        return _result_type

    def lower(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pairs = zip(args, signature.args, strict=True)
        vectors = [a if kind == lanes else _splat(builder, a) for a, kind in pairs]
        return emit(builder, *vectors)

    lower_builtin(python_operator, LanesType, LanesType)(lower)
    lower_builtin(python_operator, LanesType, types.float32)(lower)
    lower_builtin(python_operator, types.float32, LanesType)(lower)


_register(operator.add, lambda builder, x, y: builder.fadd(x, y, flags=_FLAGS))
_register(operator.sub, lambda builder, x, y: builder.fsub(x, y, flags=_FLAGS))
_register(operator.mul, lambda builder, x, y: builder.fmul(x, y, flags=_FLAGS))


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, offset: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    element = builder.gep(data, [offset], inbounds=True)
    return builder.bitcast(element, _VECTOR.as_pointer())


@intrinsic
def load(typing_context, array, offset):  # type: ignore[no-untyped-def]
    """``load(array, offset)``: the eight elements of a 1-D float32 array from `offset` on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], *args), align=4)

    return lanes(array, types.intp), codegen


@intrinsic
def store(typing_context, array, offset, value):  # type: ignore[no-untyped-def]
    """``store(array, offset, value)``: put lanes at eight elements from `offset` on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target = _pointer(context, builder, signature.args[0], args[0], args[1])
        builder.store(args[2], target, align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), codegen


@intrinsic
def transpose(typing_context, source, at, step, target, target_at, target_step):  # type: ignore[no-untyped-def]
    """Turn an 8 x 8 block: row i starts at ``at + i * step`` of `source`, and column i goes
    to ``target_at + i * target_step`` of `target`.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def pointer(index: int, row: int) -> Any:
            array, first, stride = args[index : index + 3]
            offset = builder.add(first, builder.mul(stride, ir.Constant(_INT64, row)))
            return _pointer(context, builder, signature.args[index], array, offset)

        rows = [builder.load(pointer(0, i), align=4) for i in range(LANES)]
        for bit in (1, 2, 4):  # exchange one bit of the row's number with one of the lane's
            low = _indices([k if not k & bit else k - bit + LANES for k in range(LANES)])
            high = _indices([k + bit if not k & bit else k + LANES for k in range(LANES)])
            for i in range(LANES):
                if not i & bit:
                    pair = rows[i], rows[i | bit]
                    rows[i] = builder.shuffle_vector(*pair, low)
                    rows[i | bit] = builder.shuffle_vector(*pair, high)
        for i in range(LANES):
            builder.store(rows[i], pointer(3, i), align=4)
        return context.get_dummy_value()

    size = types.intp
    return types.void(source, size, size, target, size, size), codegen
