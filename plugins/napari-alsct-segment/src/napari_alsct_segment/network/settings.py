"""How a network is trained, as people are asked."""

from __future__ import annotations

from dataclasses import dataclass

from alsct_gui.steps.settings import setting


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a network is trained."""

    depth: int = setting(
        50,
        label="Layers",
        min=10,
        max=100,
        tier="average",
        help="More layers learn more and take longer.",
    )
    neighbours: int = setting(
        0,
        label="Neighbouring slices",
        min=0,
        max=4,
        tier="average",
        help="Slices on either side that the network looks at.",
    )
    most_steps: int = setting(
        3000,
        label="Steps at most",
        min=1,
        max=1_000_000,
        tier="newbie",
        help="It ends earlier when it gets no better.",
    )
    patience: int = setting(
        10,
        label="Patience",
        min=1,
        max=1000,
        unit="rounds",
        tier="power",
        help="Rounds without getting better before it ends.",
    )
    round_steps: int = setting(
        100,
        label="Steps of a round",
        min=1,
        max=100_000,
        tier="power",
        help="Held-out slices are looked at after each round.",
    )
    patch_px: int = setting(
        192,
        label="Patch",
        min=32,
        max=2048,
        unit="px",
        tier="power",
        help="Edge of the squares that it learns from.",
    )
    batch: int = setting(
        2,
        label="Patches of a step",
        min=1,
        max=64,
        tier="power",
        help="Shared among the processors.",
    )
    learning_rate: float = setting(
        1e-3, label="Learning rate", min=1e-6, max=0.1, tier="power", help="How far a step goes."
    )
    halve_after: int = setting(
        3,
        label="Halved after",
        unit="rounds",
        min=1,
        max=1000,
        tier="power",
        help="The learning rate is halved after so many rounds without getting better.",
    )
    held_out_percent: float = setting(
        10.0,
        label="Held out",
        min=1.0,
        max=50.0,
        unit="%",
        tier="power",
        help="Share of the slices that it is judged by.",
    )
    seed: int = setting(
        0,
        label="Seed",
        min=0,
        max=2**31 - 1,
        tier="power",
        help="The same seed trains the same network.",
    )
