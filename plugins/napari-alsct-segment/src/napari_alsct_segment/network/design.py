"""The network's design: how many layers, how far each looks, where its weights lie.

Each layer sees the input and all layers before it through 3 x 3 taps that lie a dilation apart,
and gives one picture, of which the negative part is cut. The last layer weighs all pictures,
pixel by pixel. Pictures are mirrored at their edges.
"""

from __future__ import annotations

from dataclasses import dataclass

from alsct_gui.model.errors import RecipeError

TAPS = 9
"""Weights of a layer for each picture it sees: three rows of three."""
MAX_DEPTH, MAX_DILATION, MAX_CHANNELS = 200, 32, 64


@dataclass(frozen=True, slots=True)
class Design:
    """Sizes of a network of width one."""

    depth: int = 50
    """Number of layers."""
    inputs: int = 1
    """Pictures that go in: a slice, and its neighbours on either side."""
    outputs: int = 1
    """Pictures that come out: one, or one a class."""
    dilations: int = 10
    """Layer i has its taps (i modulo this number) + 1 pixels apart."""

    def __post_init__(self) -> None:
        bounds = {
            "depth": (self.depth, MAX_DEPTH), "inputs": (self.inputs, MAX_CHANNELS),
            "outputs": (self.outputs, MAX_CHANNELS), "dilations": (self.dilations, MAX_DILATION),
        }  # fmt: skip
        for name, (value, most) in bounds.items():
            if not 1 <= value <= most:
                raise RecipeError(
                    f"{value} is out of bounds", where=f"network.{name}",
                    fix=f"Take 1 to {most}",
                )  # fmt: skip

    @property
    def channels(self) -> int:
        """Pictures in all: what goes in and what the layers make."""
        return self.inputs + self.depth

    @property
    def reach_px(self) -> int:
        """How far around a pixel the network looks."""
        return sum(self.dilation(layer) for layer in range(self.depth))

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Numbers of weights of the layers, of biases, of weights of the last layer, of its
        biases: in this order they lie in one array, see `network.model.Network`.
        """
        return self.offset(self.depth), self.depth, self.outputs * self.channels, self.outputs

    def dilation(self, layer: int) -> int:
        """Return the distance of a layer's taps."""
        return layer % self.dilations + 1

    def offset(self, layer: int) -> int:
        """Return where a layer's weights begin: of each picture it sees, nine."""
        return TAPS * (layer * self.inputs + layer * (layer - 1) // 2)
