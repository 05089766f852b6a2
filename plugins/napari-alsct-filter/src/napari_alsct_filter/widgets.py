"""The widgets that napari opens: the face of each step."""

from __future__ import annotations

from alsct_gui.face.stepface import StepFace


class MedianWidget(StepFace):
    """Median."""

    step_name = "filter.median"


class VariationWidget(StepFace):
    """Total variation."""

    step_name = "filter.tv"


class NonlocalWidget(StepFace):
    """Non-local means."""

    step_name = "filter.nlm"


class RingsWidget(StepFace):
    """Ring removal."""

    step_name = "filter.rings"


class BitsWidget(StepFace):
    """Fewer bits."""

    step_name = "filter.bits"
