"""Sliding median across sinogram columns, many ranks at a time.

The window of one column differs from the last one's by one value out and one value in.
Its values are kept in order; a single pass over them takes the old one out and puts the
new one in with two comparisons each and no branch, so that the processor does it for a
whole vector of ranks at once. The cost grows with the window's size, not with its square.

The pass is spelled out in LLVM's vectors: what LLVM made of the same loops over arrays was
twelve times slower (docs/decisions/0004-ring-filters.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic

from alsct_gui.recon.preprocess.rings.ranks import Keys

_LANES = 16
_VECTOR = ir.VectorType(ir.IntType(32), _LANES)
_HIGHEST = np.uint32(0xFFFFFFFF)


@intrinsic
def _exchange(typing_context, window, size, old, old_at, new, new_at):  # type: ignore[no-untyped-def]
    """Take one value out of an ordered window and put another in, in each lane.

    `window` has shape (size, lanes) and is flat; ``old[old_at:]`` and ``new[new_at:]``
    start with the lanes' values. All arrays are uint32.
    """
    signature = types.void(window, size, old, old_at, new, new_at)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def data(index: int) -> Any:
            array_type = signature.args[index]
            return context.make_array(array_type)(context, builder, args[index]).data

        def vector(pointer: Any) -> Any:
            return builder.load(builder.bitcast(pointer, _VECTOR.as_pointer()), align=4)

        def pick(relation: str, left: Any, right: Any, one: Any, other: Any) -> Any:
            return builder.select(builder.icmp_unsigned(relation, left, right), one, other)

        rows = builder.bitcast(data(0), _VECTOR.as_pointer())
        leaving = vector(builder.gep(data(2), [args[3]]))
        coming = vector(builder.gep(data(4), [args[5]]))
        one = ir.Constant(args[1].type, 1)
        last = builder.sub(args[1], one)
        here_slot = cgutils.alloca_once_value(builder, builder.load(rows, align=4))
        before_slot = cgutils.alloca_once_value(builder, ir.Constant(_VECTOR, [0] * _LANES))
        with cgutils.for_range(builder, last) as loop:
            here, before = builder.load(here_slot), builder.load(before_slot)
            after = builder.load(builder.gep(rows, [builder.add(loop.index, one)]), align=4)
            # What stands here once the old value is out ...
            kept = pick("<", here, leaving, here, after)
            # ... and once the new one is in: the new one clamped between two neighbours.
            low = pick("<", kept, coming, kept, coming)
            placed = pick(">", before, low, before, low)
            builder.store(placed, builder.gep(rows, [loop.index]), align=4)
            builder.store(after, here_slot)
            builder.store(kept, before_slot)
        before = builder.load(before_slot)
        placed = pick(">", before, coming, before, coming)
        builder.store(placed, builder.gep(rows, [last]), align=4)
        return context.get_dummy_value()

    return signature, codegen


@njit(nogil=True, cache=True)
def reflect(index: int, count: int) -> int:
    """Index mirrored at the edges, the edge value repeated: (b a | a b c | c b)."""
    period = 2 * count
    index = index % period
    return index if index < count else period - 1 - index


@njit(nogil=True, cache=True)
def _slide(keys: Keys, size: int, out: Keys) -> None:
    n_columns, n_ranks = keys.shape
    flat = keys.ravel()
    first = -(size // 2)
    window = np.empty(size * _LANES, np.uint32)
    middle = size // 2 * _LANES
    highest = np.full(_LANES, _HIGHEST, np.uint32)
    for block in range(0, n_ranks, _LANES):
        # The last block overlaps the one before it rather than being shorter.
        r0 = min(block, n_ranks - _LANES)
        window[:] = _HIGHEST
        for i in range(size):
            _exchange(window, size, highest, 0, flat, reflect(first + i, n_columns) * n_ranks + r0)
        for c in range(n_columns):
            if c > 0:
                old = reflect(c + first - 1, n_columns) * n_ranks + r0
                new = reflect(c + first + size - 1, n_columns) * n_ranks + r0
                _exchange(window, size, flat, old, flat, new)
            for lane in range(_LANES):
                out[c, r0 + lane] = window[middle + lane]


def median_across_columns(keys: Keys, size: int, out: Keys) -> None:
    """Median over `size` neighbouring columns at each rank.

    As ``scipy.ndimage.median_filter(..., (size, 1), mode="reflect")``: an even window
    reaches one further to the left and takes the upper of its two middle values.

    Parameters
    ----------
    keys
        Order-preserving integers, shape (column, rank), C order.
    size
        Window in columns, at least 1.
    out
        Where to put the medians, shape (column, rank); not `keys`.
    """
    n_ranks = keys.shape[1]
    if n_ranks >= _LANES:
        _slide(keys, size, out)
        return
    wide = np.zeros((keys.shape[0], _LANES), np.uint32)
    wide[:, :n_ranks] = keys
    smooth = np.empty_like(wide)
    _slide(wide, size, smooth)
    out[...] = smooth[:, :n_ranks]
