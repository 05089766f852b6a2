"""The classifier's widget: scribble, see what it makes of it, scribble where it is torn, apply."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from alsct_gui.face.layerdata import free_name
from alsct_gui.face.parts import GAP_PX, MARGIN_PX, colour_wrong, label
from alsct_gui.face.results import add_products
from alsct_gui.face.sources import file_of
from alsct_gui.face.words import result_words
from alsct_gui.face.work import Backstage, Files
from alsct_gui.model.errors import AlsctError, CancelledError
from alsct_gui.steps.export import command_line, python_script
from alsct_gui.steps.jobs import JobView, StepRequest
from alsct_gui.steps.registry import get_step
from napari_alsct_segment.classifier.studio import Lookout, Studio
from napari_alsct_segment.faces.bars import LookBar, ModelBar
from napari_alsct_segment.faces.livelook import LiveLook
from napari_alsct_segment.faces.phases import Phases
from napari_alsct_segment.faces.runbox import RunBox, of_view
from napari_alsct_segment.faces.strokeinputs import StrokeInputs
from napari_alsct_segment.faces.strokelayer import StrokeLayer
from napari_alsct_segment.faces.teaching import Teaching

if TYPE_CHECKING:
    import napari

_SUFFIX = ".model.safetensors"


class ClassifierWidget(QWidget):
    """Teaches a pixel classifier in a napari viewer.

    Parameters
    ----------
    viewer
        The viewer that it was opened in; napari hands it in.
    """

    finished = Signal(object)
    """Products by name, when a volume was labelled; their layers are in the viewer."""
    _searched = Signal(object)
    _saved = Signal(object)

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.viewer: Any = viewer
        self._train, self._apply = get_step("segment.train"), get_step("segment.classify")
        self._backstage, self._studio = Backstage(), Studio()
        self._scratch = Path(tempfile.mkdtemp(prefix="alsct-classifier-"))
        self._files = Files(self._backstage, self)
        self.strokes = StrokeLayer(viewer, self._backstage, self)
        self._earlier: Path | None = None
        self._spot = -1
        self._after_saving: Callable[[Path], None] = self._model_kept
        self._make()
        self.look = LiveLook(
            viewer, self._backstage, self._studio, self._lookout, self.inputs.image, self
        )
        self._connect()
        self.destroyed.connect(_closer(self))

    def parameters(self) -> Any:
        """Return how it is taught."""
        return self.teaching.parameters()

    def make_strokes(self) -> None:
        """Add a layer of strokes over the volume and let a person paint."""
        image = self.inputs.image()
        if image is None:
            return
        self.inputs.choose(self.strokes.make(image))
        self.strokes.paint(self.phases.labels[0])
        self.bar.preview.setChecked(True)
        self._say("Paint a stroke into each phase; the preview follows.")

    def next_spot(self) -> None:
        """Go to the next place of the slice where the model is torn."""
        view, image = self.look.view, self.inputs.image()
        if view is None or not view.spots or image is None:
            self._say("The model is torn nowhere in this slice.")
            return
        self._spot = (self._spot + 1) % len(view.spots)
        spot = view.spots[self._spot]
        place = (spot.y, spot.x) if image.ndim == 2 else (view.index, spot.y, spot.x)
        self.viewer.scene.camera.center = tuple(float(at) for at in image.data_to_world(place))
        self._say(f"{spot.doubt:.0%} in doubt here. Mark what it is.")

    def search(self) -> None:
        """Go to a slice where the model is torn most."""
        self._say("Looks for a doubtful slice…")
        self._with_lookout(lambda asked: _tell(self._studio.search(asked), self._searched))

    def go_on_with(self, path: Path | None) -> None:
        """Learn from what an earlier model has learnt from too; None from nothing else."""
        self._earlier = path
        self.models.show_earlier(path)
        self._strokes_changed()

    def save_model(self, path: Path) -> None:
        """Save what was learnt into a file."""
        self._save(path, self._model_kept)

    def run(self) -> None:
        """Label the whole volume."""
        if not self.box.running:
            self.box.prepare()
            self._say("Learns…")
            self._save(self._model_path(), self._label_all)

    def output_path(self) -> Path | None:
        """Return where the labels go; None for a place of the program's own."""
        source = self._source()
        if self.box.named() is not None or source is None:
            return self.box.named()
        return free_name(source.with_name(f"{source.stem}.phases.labels.zarr"))

    # ---- what it is made of -----------------------------------------------------------

    def _make(self) -> None:
        theme = str(self.viewer.theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(2 * GAP_PX)
        column.addWidget(label(self._train.sentence, wrap=True))
        self.inputs = StrokeInputs(self.viewer, self._backstage.ears)
        self.phases = Phases(self._colour_of)
        self.teaching = Teaching(self._train, theme, self._command, self._python)
        self.box = RunBox("Label the volume", self._backstage)
        column.addWidget(self.inputs)
        column.addWidget(self.phases)
        column.addWidget(self.teaching)
        self.bar, self.models = LookBar(), ModelBar()
        column.addWidget(self.bar)
        column.addWidget(self.models)
        column.addWidget(self.box)
        self.status, self.wrong = label("", wrap=True), label("", wrap=True)
        colour_wrong(self.wrong, theme)
        column.addWidget(self.status)
        column.addWidget(self.wrong)
        column.addStretch(1)

    def _connect(self) -> None:
        self.inputs.changed.connect(self._watch)
        self.inputs.wanted.connect(self.make_strokes)
        self.phases.chosen.connect(self.strokes.paint)
        self.strokes.changed.connect(self._strokes_changed)
        self.strokes.said.connect(self._say)
        self.strokes.failed.connect(self._complain)
        self.teaching.changed.connect(self.look.renew)
        self.bar.preview.toggled.connect(self.look.switch)
        self.bar.shown.connect(self.look.show)
        self.look.said.connect(self.bar.words.setText)
        self.look.failed.connect(self._complain)
        self.look.seen.connect(self._seen)
        self.bar.next.clicked.connect(self.next_spot)
        self.bar.search.clicked.connect(self.search)
        self.models.open.clicked.connect(self._ask_model)
        self.models.save.clicked.connect(self._ask_file)
        self.box.asked.connect(self.run)
        self.box.said.connect(self._say)
        self.box.ended.connect(self._labelled)
        self._searched.connect(self._go_to)
        self._saved.connect(self._model_saved)
        self._say("")
        self._complain("")
        self._watch()

    # ---- what happens -----------------------------------------------------------------

    def _watch(self) -> None:
        self.strokes.watch(self.inputs.strokes(), self.inputs.image())
        path = self.output_path() if self.box.named() is None else None
        self.box.output.setPlaceholderText(path.name if path else "kept by the program")
        self._strokes_changed()

    def _strokes_changed(self) -> None:
        layer, counts = self.strokes.layer, self.strokes.scribbles.counts
        self.phases.show_phases((), counts, int(layer.selected_label) if layer is not None else 0)
        ready = self._is_ready()
        self.models.save.setEnabled(ready)
        self.bar.set_ready(ready)
        self.box.set_ready(ready)
        self._complain("")
        self.look.renew()

    def _is_ready(self) -> bool:
        phases = len(self.strokes.scribbles.counts)
        return phases >= (1 if self._earlier else 2) and self.inputs.image() is not None

    def _lookout(self, volume: Path, index: int) -> Lookout:
        return Lookout(
            volume, self.strokes.scribbles, self.parameters(), index, self._earlier,
            too_early=not self._is_ready(),
        )  # fmt: skip

    def _with_lookout(self, then: Callable[[Lookout], None]) -> None:
        """Call a function with what is asked, once the volume lies in a file."""

        def go(found: Mapping[str, Path] | AlsctError) -> None:
            if isinstance(found, AlsctError):
                self._fail(found.sentence)
                return
            then(self._lookout(found["volume"], 0))

        if self._is_ready():
            self._files.of({"volume": self.inputs.image()}, go)

    def _seen(self, _: object) -> None:
        self._spot = -1
        self._complain("")

    def _go_to(self, done: Future[int]) -> None:
        found, image = self._answer(done), self.inputs.image()
        if found is None or image is None or image.ndim == 2:
            return
        world = image.data_to_world((found, 0, 0))
        self.viewer.dims.set_point(self.viewer.dims.ndim - 3, float(world[0]))
        self._say(f"Slice {found} is the most doubtful of those that were looked at.")

    def _save(self, path: Path, then: Callable[[Path], None]) -> None:
        self._after_saving = then
        self._with_lookout(lambda asked: _tell(self._studio.save(asked, path), self._saved))

    def _model_saved(self, done: Future[Path]) -> None:
        path = self._answer(done)
        if path is None:
            self.box.rest()
        else:
            self._after_saving(path)

    def _model_kept(self, path: Path) -> None:
        self._say(f"What was learnt is kept in {path.name}.")

    def _label_all(self, model: Path) -> None:
        output = self.output_path()

        def go(found: Mapping[str, Path] | AlsctError) -> None:
            if isinstance(found, AlsctError):
                self._fail(found.sentence)
                return
            inputs = {"volume": str(found["volume"]), "model": str(model)}
            try:
                self.box.start(StepRequest(self._apply.name, {}, inputs, str(output or "")))
            except AlsctError as error:
                self._fail(error.sentence)

        self._files.of({"volume": self.inputs.image()}, go)

    def _labelled(self, view: JobView) -> None:
        said, wrong = of_view(view)
        if view.state == "finished":
            self.bar.preview.setChecked(False)
            image, strokes = self.inputs.image(), self.inputs.strokes()
            add_products(self.viewer, self._apply, view.outputs, image)
            self.inputs.choose(strokes)
            said = result_words(view)
            self.finished.emit(dict(view.outputs))
        self._watch()
        self._say(said)
        self._complain(wrong)

    def _answer(self, done: Future[Any]) -> Any:
        """What came of a question; None when it failed or was taken back."""
        if done.cancelled():
            return None
        error = done.exception()
        if error is None:
            return done.result()
        if not isinstance(error, CancelledError):
            self._fail(error.sentence if isinstance(error, AlsctError) else str(error))
        return None

    def _source(self) -> Path | None:
        image = self.inputs.image()
        return file_of(image) if image is not None else None

    def _model_path(self) -> Path:
        """Where the model of a labelling goes: beside its product."""
        output = self.output_path()
        if output is None:
            return self._scratch / f"labels{_SUFFIX}"
        return output.with_name(output.name.removesuffix(".labels.zarr") + _SUFFIX)

    def _ask_model(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Model", filter="Models (*.safetensors)")
        if name:
            self.go_on_with(Path(name))

    def _ask_file(self) -> None:
        source = self._source()
        start = source.with_name(source.stem + _SUFFIX) if source else Path(f"phases{_SUFFIX}")
        name, _ = QFileDialog.getSaveFileName(self, "Model", str(start))
        if name:
            self.save_model(Path(name))

    def _colour_of(self, number: int) -> tuple[float, float, float]:
        layer = self.strokes.layer
        colour = layer.get_color(number) if layer is not None else None
        red, green, blue = (
            (float(part) for part in colour[:3]) if colour is not None else (0.5,) * 3
        )
        return red, green, blue

    def _command(self) -> str:
        return "\n".join(
            command_line(step, parameters, inputs, output)
            for step, parameters, inputs, output in self._steps()
        )

    def _python(self) -> str:
        return "\n\n".join(
            python_script(step, parameters, inputs, output)
            for step, parameters, inputs, output in self._steps()
        )

    def _steps(self) -> list[tuple[Any, Any, dict[str, str | Path], str | Path]]:
        """Training and labelling as a script names them; strokes have to be saved as labels."""
        volume = self._source() or "volume.zarr"
        model = self._model_path().name
        learnt: dict[str, str | Path] = {"volume": volume, "labels": "strokes.labels.zarr"}
        if self._earlier is not None:
            learnt["model"] = self._earlier
        labels = self.output_path() or "phases.labels.zarr"
        return [
            (self._train, self.parameters(), learnt, model),
            (self._apply, self._apply.preset(), {"volume": volume, "model": model}, labels),
        ]

    def _fail(self, words: str) -> None:
        self.box.rest()
        self._say("")
        self._complain(words)

    def _say(self, words: str) -> None:
        self.status.setText(words)
        self.status.setVisible(bool(words))

    def _complain(self, words: str) -> None:
        self.wrong.setText(words)
        self.wrong.setVisible(bool(words))


def _closer(widget: ClassifierWidget) -> Callable[..., None]:
    """What ends all that a widget has begun; not a method of it, which is half gone by then."""
    backstage, studio, scratch = widget._backstage, widget._studio, widget._scratch  # noqa: SLF001
    ears, keeper = widget.strokes.ears, widget.strokes.keeper

    def close(_: object = None) -> None:
        ears.close()
        studio.close()
        backstage.close()
        keeper.flush()
        shutil.rmtree(scratch, ignore_errors=True)

    return close


def _tell(future: Future[Any], signal: Any) -> None:
    """Have a signal emitted with a future once it is done."""

    def done(finished: Future[Any]) -> None:
        try:
            signal.emit(finished)
        except RuntimeError:
            return  # the widget has gone meanwhile

    future.add_done_callback(done)
