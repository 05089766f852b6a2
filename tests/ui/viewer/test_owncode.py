"""One's own code, opened in the window and run on what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsct_gui.face.ownface import OwnCodeWidget
from alsct_gui.face.sources import finest
from alsct_gui.ui.viewer.owncode import OwnCode
from tests.ui.conftest import until
from tests.ui.viewer.test_volume import drawn, shown
from tests.ui.viewer.volumes import balls, write


def test_own_code_runs_on_the_volume_that_is_shown(
    room: Any, drive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALSCT_STEPS", str(tmp_path / "jobs"))
    monkeypatch.setenv("ALSCT_OWN_STEPS", str(tmp_path / "mine"))
    (tmp_path / "mine").mkdir()
    code = tmp_path / "mine" / "twice.py"
    code.write_text("def run(volume, factor: float = 2.0): return volume * factor")
    path = write(tmp_path / "rec.zarr", balls())

    async def go() -> None:
        async with room() as r:
            await shown(r, path)
            viewer = r.stage.host.viewer
            own = OwnCode(r.session, r.book, r.stage)
            r.book.trigger("plugins.own")
            await until(lambda: "rec.zarr" in viewer.layers, "the volume as a layer")
            (widget,) = r.stage.host.findChildren(OwnCodeWidget)
            listed = [widget.codes.itemText(k) for k in range(widget.codes.count())]
            assert listed[:1] == ["twice.py"]
            assert "Example: porosity" in listed
            widget.open(code)
            await drawn(r)
            assert widget.isVisible()
            face = widget.face
            assert face.inputs.main().name == "rec.zarr"
            face.run_button.click()
            await until(lambda: "rec.twice" in viewer.layers or face.wrong.text(), "the volume")
            assert face.wrong.text() == ""
            made = np.asarray(finest(viewer.layers["rec.twice"])[5])
            np.testing.assert_allclose(made, 2 * balls()[5], rtol=1e-6)
            own.open()
            assert r.stage.host.findChildren(OwnCodeWidget) == [widget]
            own.close()
            viewer.window.remove_dock_widget("all")
            assert widget.face is None

    drive(go())
