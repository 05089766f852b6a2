"""Films of a small volume, decoded again."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from alsct_gui.files import movie
from alsct_gui.files.movie import (
    FfmpegEncoder,
    MovieSpec,
    OpencvEncoder,
    fitted,
    frames_of,
    to_gray,
    write_movie,
)
from alsct_gui.files.volumes import open_volume
from alsct_gui.model.errors import CancelledError, OutputError, RecipeError, ResourceError
from alsct_gui.model.progress import CancelToken, Progress

SHAPE = (12, 40, 62)


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slices that grow brighter, with a bright square that wanders."""
    folder = tmp_path_factory.mktemp("volume") / "rec_small"
    folder.mkdir()
    for k in range(SHAPE[0]):
        plane = np.full(SHAPE[1:], k / 20, np.float32)
        plane[8:24, 4 + 3 * k : 20 + 3 * k] = 1.0
        tifffile.imwrite(folder / f"rec_{k:04d}.tif", plane)
    return folder


def _spec(volume: Path, output: Path, **more: object) -> MovieSpec:
    facts = {"low": 0.0, "high": 1.0, "last": SHAPE[0] - 1, **more}
    return MovieSpec(str(volume), str(output), **facts)  # type: ignore[arg-type]


def _expected(volume: Path) -> list[np.ndarray]:
    with open_volume(volume) as opened:
        return list(frames_of(opened, _spec(volume, Path("x"))))


@given(st.floats(-5, 5), st.floats(0.01, 5))
def test_greys_go_from_black_to_white(low: float, span: float) -> None:
    values = np.array([low - 1, low, low + span / 2, low + span, low + span + 1, np.nan, np.inf])
    gray = to_gray(values, low, low + span)
    assert gray[[0, 1, 5, 6]].tolist() == [0, 0, 0, 0]
    assert gray[[3, 4]].tolist() == [255, 255]
    assert abs(int(gray[2]) - 128) <= 1


@given(st.integers(2, 70), st.integers(2, 70), st.integers(16, 80))
def test_frames_have_even_edges_and_fit(rows: int, columns: int, size_px: int) -> None:
    frame = fitted(np.zeros((rows, columns), np.uint8), size_px)
    assert all(edge % 2 == 0 and edge >= 2 for edge in frame.shape)
    assert max(frame.shape) <= size_px + 1
    assert frame.shape[0] <= rows + 1


def test_frames_are_the_planes_of_the_range(volume: Path) -> None:
    with open_volume(volume) as opened:
        frames = list(frames_of(opened, _spec(volume, Path("x"), first=2, last=9, step=3)))
        cut = list(frames_of(opened, _spec(volume, Path("x"), axis="x", last=3)))
        with pytest.raises(RecipeError, match="12 planes"):
            next(frames_of(opened, _spec(volume, Path("x"), last=12)))
    assert len(frames) == 3
    assert [int(frame[0, 0]) for frame in frames] == [round(255 * k / 20) for k in (2, 5, 8)]
    assert cut[0].shape == (12, 40)


def test_pictures_always_work(volume: Path, tmp_path: Path) -> None:
    heard: list[Progress] = []
    made = write_movie(_spec(volume, tmp_path / "film.frames"), on_progress=heard.append)
    names = sorted(item.name for item in made.iterdir())
    assert names == [f"frame_{k:05d}.png" for k in range(12)]
    for name, frame in zip(names, _expected(volume), strict=True):
        with Image.open(made / name) as image:
            assert np.array_equal(np.asarray(image), frame)
    assert [step.done for step in heard] == list(range(1, 13))
    assert heard[-1].eta_s == 0
    assert [item.name for item in tmp_path.iterdir()] == ["film.frames"]


ENCODERS = {"ffmpeg": FfmpegEncoder, "opencv": OpencvEncoder}


@pytest.mark.parametrize("name", ENCODERS)
def test_a_film_shows_the_slices(
    name: str, volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "ffmpeg" and shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is not installed")
    monkeypatch.setattr(movie, "film_encoder", lambda: (name, ENCODERS[name]))
    made = write_movie(_spec(volume, tmp_path / "film.mp4", per_second=10))
    assert [item.name for item in tmp_path.iterdir()] == ["film.mp4"]
    reader = cv2.VideoCapture(str(made))
    try:
        assert reader.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
        for frame in _expected(volume):
            there, picture = reader.read()
            assert there
            assert picture.shape[:2] == frame.shape
            difference = np.abs(picture[..., 0].astype(int) - frame)
            assert difference.mean() < 12
        assert not reader.read()[0]
    finally:
        reader.release()
    with pytest.raises(OutputError, match="something of that name"):
        write_movie(_spec(volume, made))
    write_movie(_spec(volume, made, overwrite=True))


def test_a_cancelled_film_leaves_nothing(volume: Path, tmp_path: Path) -> None:
    cancel = CancelToken()

    def hear(step: Progress) -> None:
        if step.done == 3:
            cancel.cancel()

    with pytest.raises(CancelledError):
        write_movie(_spec(volume, tmp_path / "a.frames"), on_progress=hear, cancel=cancel)
    assert list(tmp_path.iterdir()) == []


def test_without_an_encoder_it_says_what_to_install(
    volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ResourceError, match=r"Install ffmpeg, or .* PNG sequence"):
        write_movie(_spec(volume, tmp_path / "film.mp4"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said(volume: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose another folder"):
        write_movie(_spec(volume, tmp_path / "none" / "a.frames"))
