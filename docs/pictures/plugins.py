"""Takes the guide's pictures of the plugins' widgets: a plain napari, simulated samples.

``python docs/pictures/plugins.py FOLDER [NAME …]`` under a screen or, where there is none, Xvfb.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import numpy as np

from alsct_bench.textured import scribble, textured_volume
from alsct_gui.files.open import open_scan, open_volume
from alsct_gui.model.recipe import Recipe
from alsct_gui.recon.job import prepare_job
from alsct_gui.recon.pipeline import run_job
from alsct_gui.screen import has_screen, virtual_screen
from alsct_gui.simulator.spec import SimulationSpec
from alsct_gui.simulator.specimens.balls import BallSpec, foam, touching_spheres
from alsct_gui.simulator.specimens.degrade import Degradation
from alsct_gui.simulator.specimens.fibres import FibreSpec, LoadStep, make_bundle, paint_bundle
from alsct_gui.simulator.specimens.specimen import write_specimen
from alsct_gui.simulator.write import simulate_scan
from alsct_gui.steps.running import run_step

SIZE_PX = (1280, 820)
_PATIENCE_S = 300.0
_FIBRES = FibreSpec(
    n_slices=160, n_fibres=160, n_breaks=70, degradation=Degradation(blur_px=0.7, cnr=3.0)
)  # fmt: skip
_LOADS = {93: LoadStep(0.4, 0.7), 151: LoadStep(1.0, 1.0, 0.003, (2.6, 2.0, -4.5), 0.8)}


@dataclass(frozen=True, eq=False)
class Studio:
    """A napari window, and where samples and pictures go."""

    viewer: Any
    samples: Path
    pictures: Path

    def open(self, path: Path) -> Any:
        """Show a volume; return its layer."""
        from alsct_gui.face.layerdata import volume_layer

        data, about, _ = volume_layer(open_volume(path))
        return self.viewer.add_image(data, **about)

    def widget(self, plugin: str, name: str) -> Any:
        """Open a plugin's widget."""
        return self.viewer.window.add_plugin_dock_widget(f"napari-alsct-{plugin}", name)[1]

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Let Qt work until something has come."""
        from qtpy.QtWidgets import QApplication

        end_s = monotonic() + _PATIENCE_S
        while not condition():
            if monotonic() > end_s:
                raise TimeoutError(what)
            QApplication.processEvents()

    def run(self, face: Any) -> None:
        """Press *Run* and wait for the end."""
        ended: list[Any] = []
        face.finished.connect(ended.append)
        face.run_button.click()
        self.wait(lambda: ended or face.wrong.text(), face.step.name)

    def take(self, name: str) -> None:
        """Take a picture of the whole window, once all that was asked for is drawn."""
        begun_s = monotonic()
        self.wait(lambda: monotonic() > begun_s + 0.7, name)
        self.viewer.screenshot(str(self.pictures / f"{name}.png"), canvas_only=False, flash=False)


def filters(studio: Studio) -> None:
    """Non-local means on a reconstruction, before and after."""
    layer = studio.open(_reconstructed(studio.samples))
    studio.viewer.dims.set_point(0, 6 * layer.scale[0])
    face = studio.widget("filter", "Non-local means")
    face.show_tier("average")
    face.preview.setChecked(True)
    studio.wait(lambda: len(studio.viewer.layers) == 2, "the preview")
    studio.take("filter-nlm")


def threshold(studio: Studio) -> None:
    """A threshold's preview."""
    layer = studio.open(_reconstructed(studio.samples))
    studio.viewer.dims.set_point(0, 6 * layer.scale[0])
    face = studio.widget("segment", "Threshold")
    face.preview.setChecked(True)
    studio.wait(lambda: len(studio.viewer.layers) == 2, "the preview")
    studio.take("segment-threshold")


def classifier(studio: Studio) -> None:
    """Strokes, what is made of them, and where the model is torn."""
    sample = textured_volume(128, 5)
    path = studio.samples / "composite.zarr"
    _write(path, sample.values[:48])
    layer = studio.open(path)
    studio.viewer.dims.set_point(0, 24 * layer.scale[0])
    face = studio.widget("segment", "Pixel classifier")
    face.make_strokes()
    strokes = face.strokes.layer
    marks = scribble(sample.truth[:48], 2200, 1)
    for z in np.unique(np.nonzero(marks)[0]):
        for phase in (1, 2, 3):
            y, x = np.nonzero(marks[z] == phase)
            if y.size:
                strokes.data_setitem((np.full(y.size, z), y, x), phase)
    studio.wait(lambda: face.look.view is not None, "the first look")
    studio.take("segment-classifier")
    face.bar.choice.setCurrentIndex(1)
    studio.take("segment-uncertainty")


def proof_reading(studio: Studio) -> None:
    """Labels that are gone through one by one."""
    from scipy import ndimage

    sample = textured_volume(96, 5)
    numbers, _ = ndimage.label(sample.truth == 2)
    edges: dict[str, Any] = {
        "scale": (1.3,) * 3,
        "units": ("um",) * 3,
        "axis_labels": ("z", "y", "x"),
    }
    studio.viewer.add_image(sample.values, name="composite", **edges)
    studio.viewer.add_labels(
        numbers.astype(np.uint16), name="particles", **edges,
        metadata={"alsct_path": str(studio.samples / "particles.labels.zarr")},
    )  # fmt: skip
    face = studio.widget("segment", "Proof-reading of labels")
    studio.wait(lambda: face.review is not None, "the objects")
    face.go(1)
    face.go(1)
    studio.take("segment-review")


def particles(studio: Studio) -> None:
    """Spheres, their table and their sizes."""
    how = Degradation(blur_px=0.7, cnr=6.0)
    balls = touching_spheres(BallSpec((120, 130, 150), 180, 10.0, degradation=how))
    studio.open(write_specimen(studio.samples / "spheres.zarr", balls))
    face = studio.widget("measure", "Particles and pores")
    face.presets.setCurrentText("noisy")
    studio.run(face)
    face.results.table.step(40)
    studio.take("measure-particles")


def phases(studio: Studio) -> None:
    """Porosity of a foam over its height."""
    how = Degradation(blur_px=0.7, cnr=5.0)
    spec = BallSpec((100, 130, 150), 90, 10.0, 0.35, inside=0.1, outside=1.1, degradation=how)
    studio.open(write_specimen(studio.samples / "sandstone.zarr", foam(spec)))
    studio.run(studio.widget("measure", "Porosity and phase fractions"))
    studio.take("measure-phases")


def fibers(studio: Studio) -> None:
    """The review of breaks at one load, and two loads side by side."""
    bundle = make_bundle(_FIBRES)
    for load, step in _LOADS.items():
        path = write_specimen(studio.samples / f"rec{load}N.zarr", paint_bundle(bundle, step))
        run_step("fibers.breaks", inputs={"volume": path}, output=studio.samples / f"breaks{load}N")
    studio.open(studio.samples / "rec151N.zarr")
    face = studio.widget("fibers", "Fibre breaks")
    face.open_result(studio.samples / "breaks151N")
    for _ in range(5):
        face.review.buttons["Accept"].click()
    face.review.buttons["Reject"].click()
    studio.wait(lambda: not face.review.cuts[0].pixmap().isNull(), "the cuts")
    studio.take("fibers-review")
    studio.viewer.window.remove_dock_widget("all")
    face = studio.widget("fibers", "Breaks over loads")
    for load in _LOADS:
        face.inputs.add(studio.samples / f"breaks{load}N", float(load))
    studio.run(face)
    studio.take("fibers-loads")


SCENES: dict[str, Callable[[Studio], None]] = {
    "filters": filters, "threshold": threshold, "classifier": classifier,
    "proof-reading": proof_reading, "particles": particles, "phases": phases, "fibers": fibers,
}  # fmt: skip


def _reconstructed(folder: Path) -> Path:
    """Simulate a scan of a foam with little light, and reconstruct it."""
    path = folder / "recfoam.zarr"
    if path.exists():
        return path
    spec = SimulationSpec(phantom="foam", n_columns=320, n_rows=16, n_angles=361, seed=3)
    with open_scan(simulate_scan(folder / "foam.h5", spec)) as scan:
        recipe = replace(Recipe(), rings=())
        return run_job(prepare_job(scan, recipe), path).output


def _write(path: Path, values: Any) -> None:
    from alsct_gui.files.writers.base import create_volume

    with create_volume(
        path, shape=values.shape, dtype=np.float32, voxel_um=(1.3, 1.3, 1.3)
    ) as writer:
        writer.write(0, values)
        writer.finish()


@contextmanager
def _window() -> Iterator[Any]:
    """A napari window that is closed at the end."""
    import napari
    from qtpy.QtWidgets import QApplication

    viewer = napari.Viewer(show=True)
    viewer.window.resize(*SIZE_PX)
    try:
        yield viewer
    finally:
        viewer.close()
        QApplication.processEvents()


def main() -> None:
    """Take all pictures, or those of the scenes that are named."""
    pictures = Path(sys.argv[1])
    pictures.mkdir(parents=True, exist_ok=True)
    names = sys.argv[2:] or list(SCENES)
    with TemporaryDirectory(prefix="alsct-pictures-") as folder:
        samples = Path(folder)
        os.environ["QT_API"] = "pyside6"
        os.environ["NAPARI_CONFIG"] = str(samples / "napari.yaml")
        os.environ["ALSCT_STEPS"] = str(samples / "jobs")
        with nullcontext() if has_screen() else virtual_screen((SIZE_PX[0] + 80, SIZE_PX[1] + 80)):
            for name in names:
                with _window() as viewer:
                    SCENES[name](Studio(viewer, samples, pictures))


if __name__ == "__main__":
    main()
