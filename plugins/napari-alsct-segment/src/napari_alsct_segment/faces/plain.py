"""Faces of steps that need no more than what every step's face has."""

from __future__ import annotations

from alsct_gui.face.stepface import StepFace


class ThresholdWidget(StepFace):
    """Threshold."""

    step_name = "segment.threshold"


class ClassifyWidget(StepFace):
    """A trained classifier on another volume."""

    step_name = "segment.classify"


class ProbabilityWidget(StepFace):
    """How likely a phase is."""

    step_name = "segment.probability"


class UncertaintyWidget(StepFace):
    """Where a classifier is torn."""

    step_name = "segment.uncertainty"


class DenoiseWidget(StepFace):
    """A trained network that denoises."""

    step_name = "segment.network-denoise"


class LabelWidget(StepFace):
    """A trained network that labels."""

    step_name = "segment.network-label"
