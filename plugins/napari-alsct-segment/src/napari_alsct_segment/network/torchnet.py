"""The network in PyTorch: forward and backward without copying what is already there.

Concatenating all earlier pictures for each layer would copy them depth^2 / 2 times. Here all
pictures lie in one array; a layer is a product of matrices, 9 taps by the pictures it sees,
and nine shifted additions. The backward pass runs the same way through one array of gradients.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_alsct_segment.network.design import TAPS, Design

Tensor = Any
"""A ``torch.Tensor``; the type checker does not look into PyTorch."""


class _Layers(torch.autograd.Function):
    """All layers but the last: (input, y, x) to (picture, y, x)."""

    @staticmethod
    def forward(
        ctx: Any, planes: Tensor, weights: Tensor, biases: Tensor, design: Design
    ) -> Tensor:
        n_inputs, rows, columns = planes.shape
        pictures = planes.new_empty((design.channels, rows, columns))
        pictures[:n_inputs] = planes
        flat = pictures.view(design.channels, -1)
        for number in range(design.depth):
            seen, s = n_inputs + number, design.dilation(number)
            taps = _taps(weights, design, number)
            mixed = torch.matmul(taps, flat[:seen]).view(1, TAPS, rows, columns)
            wide = torch.nn.functional.pad(mixed, (s, s, s, s), mode="reflect")[0]
            picture = pictures[seen]
            picture.copy_(wide[0, :rows, :columns])
            for k in range(1, TAPS):
                y, x = (s * part for part in divmod(k, 3))
                picture += wide[k, y : y + rows, x : x + columns]
            picture.add_(biases[number]).clamp_(min=0)
        ctx.save_for_backward(pictures, weights)
        ctx.design = design
        return pictures

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        pictures, weights = ctx.saved_tensors
        design: Design = ctx.design
        n_inputs = design.inputs
        slope = grads[0].clone()
        flat, flat_slope = pictures.view(len(pictures), -1), slope.view(len(pictures), -1)
        of_weights, of_biases = torch.empty_like(weights), weights.new_empty(design.depth)
        for number in reversed(range(design.depth)):
            seen, s = n_inputs + number, design.dilation(number)
            own = slope[seen] * (pictures[seen] > 0)
            of_biases[number] = own.sum()
            spread = _spread_back(own, s).view(TAPS, -1)
            first, stop = design.offset(number), design.offset(number + 1)
            of_weights[first:stop] = torch.matmul(flat[:seen], spread.T).reshape(-1)
            flat_slope[:seen].addmm_(_taps(weights, design, number).T, spread)
        return None, of_weights, of_biases, None


def _taps(weights: Tensor, design: Design, number: int) -> Tensor:
    """A layer's weights, shape (tap, picture)."""
    return weights[design.offset(number) : design.offset(number + 1)].view(-1, TAPS).T


def _spread_back(own: Tensor, s: int) -> Tensor:
    """What each tap's picture gets of a layer's gradient: shifts and mirrors, backwards."""
    rows, columns = own.shape
    wide = own.new_zeros((1, TAPS, rows + 2 * s, columns + 2 * s))
    for k in range(TAPS):
        y, x = (s * part for part in divmod(k, 3))
        wide[0, k, y : y + rows, x : x + columns] = own
    like = own.new_empty((1, TAPS, rows, columns))
    back: Tensor = torch.ops.aten.reflection_pad2d_backward(wide, like, [s, s, s, s])
    return back


def run(planes: Tensor, values: Tensor, design: Design) -> Tensor:
    """Run the network.

    Parameters
    ----------
    planes
        Shape (input, y, x); larger than the widest dilation along y and x.
    values
        All weights and biases, as `network.model.Network` has them.

    Returns
    -------
    made
        Shape (output, y, x).
    """
    weights, biases, last, last_biases = values.split(list(design.sizes))
    pictures: Tensor = _Layers.apply(planes, weights, biases, design)
    flat = torch.matmul(last.view(design.outputs, -1), pictures.reshape(len(pictures), -1))
    return flat.view(-1, *planes.shape[1:]) + last_biases[:, None, None]


def loss_of(made: Tensor, target: NDArray[np.float32] | NDArray[np.int64], margin: int) -> Tensor:
    """Return the mean loss within a margin.

    Parameters
    ----------
    made
        Shape (output, y, x).
    target
        Grey values as float32: the mean squared error. Classes as int64, -1 where there is
        none: the cross entropy.
    margin
        Pixels along the edges that do not count.
    """
    inner = (slice(margin, made.shape[1] - margin), slice(margin, made.shape[2] - margin))
    wanted = torch.from_numpy(np.ascontiguousarray(target[inner]))
    part = made[(slice(None), *inner)]
    if wanted.is_floating_point():
        return torch.mean((part[0] - wanted) ** 2)
    if not (wanted >= 0).any():
        return part.sum() * 0
    return torch.nn.functional.cross_entropy(part[None], wanted[None], ignore_index=-1)
