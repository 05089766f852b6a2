"""Faces of the trainings: the loss is seen while it falls, and what was learnt is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alsct_gui.face.stepface import StepFace
from alsct_gui.steps.jobs import JobView
from napari_alsct_segment.faces.lossplot import LossPlot
from napari_alsct_segment.network.model import Round
from napari_alsct_segment.network.words import read_round

if TYPE_CHECKING:
    import napari


class TrainingFace(StepFace):
    """A step's face with a picture of the loss.

    A training is kept in a checkpoint beside its output after every round: run again, it goes
    on where it was cancelled.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.plot = LossPlot(str(viewer.theme))
        self.plot.hide()
        layout: Any = self.layout()
        # Below the words on how far it is, above the room that is left.
        layout.insertWidget(layout.count() - 1, self.plot)

    def run(self) -> None:
        """Train; the plot begins anew."""
        self.plot.show_rounds(())
        self.plot.show()
        self._keep_checkpoint()
        super().run()

    def _keep_checkpoint(self) -> None:
        output = self.output_path()
        parameters = self.parameters()
        if output is not None and not parameters.checkpoint:
            kept = output.with_name(f"{output.name}.checkpoint")
            self.show_parameters(replace(parameters, checkpoint=str(kept)))

    def _followed(self, view: JobView) -> None:
        rounds = rounds_of(view)
        self.plot.show_rounds(rounds)
        others = tuple(sentence for sentence in view.said if read_round(sentence) is None)
        super()._followed(replace(view, said=others))
        if view.state == "cancelled" and rounds and self.parameters().checkpoint:
            self._say(f"Cancelled; run again, it goes on from step {rounds[-1].steps:,}.")
        elif view.state == "finished" and rounds:
            best = min(rounds, key=lambda line: line.held_out)
            self._say(f"{self.status.text()} The best was step {best.steps:,}.")


class DenoisingTrainingWidget(TrainingFace):
    """A network that learns from a poor and a good volume."""

    step_name = "segment.network-train"


class LabelTrainingWidget(TrainingFace):
    """A network that learns from labels."""

    step_name = "segment.network-train-labels"


class SelfTrainingWidget(TrainingFace):
    """A network that learns from a noisy scan alone."""

    step_name = "segment.noise2inverse"


def rounds_of(view: JobView) -> list[Round]:
    """Return the rounds among what a training has said."""
    found = (read_round(sentence) for sentence in view.said)
    return [line for line in found if line is not None]
