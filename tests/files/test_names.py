"""Whatever a scan is called, its product has a name that is safe and recognisable."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsct_gui.files.names import product_name, safe_stem


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("20240101_120000_sample", "20240101_120000_sample"),
        ('20240101 Jane\'s "rock" 50%', "20240101 Jane's _rock_ 50%"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..", "scan"),
        ("", "scan"),
        (".hidden", "hidden"),
        ("two\nlines\x1b[31m", "two_lines_[31m"),
        ("Gestein Größe 岩石", "Gestein Größe 岩石"),
        ("Gro\u0308ße", "Größe"),
        ("nul\0byte", "nul_byte"),
        ("right\u202eto left", "right_to left"),
        ("lone\udc80surrogate", "lone_surrogate"),
        ("no-break\xa0space", "no-break space"),
        ("$(rm -rf ~); `id`", "$(rm -rf ~); `id`"),
    ],
)
def test_known_names(stem: str, name: str) -> None:
    assert safe_stem(stem) == name


def test_names_of_products() -> None:
    assert product_name("20240101_a", "ome-zarr") == "rec20240101_a.zarr"
    assert product_name("20240101_a", "tiff") == "rec20240101_a"


def test_long_names_stay_apart() -> None:
    one, two = safe_stem("ä" * 300 + "1"), safe_stem("ä" * 300 + "2")
    assert one != two
    assert one.startswith("ä" * 50)


@given(st.text())
def test_any_text_is_one_part_of_a_path(stem: str) -> None:
    name = product_name(stem, "ome-zarr")
    assert Path("folder", name).parent == Path("folder")
    assert len(f".{name}.partial".encode()) < 255
    assert name.isprintable()
    assert safe_stem(safe_stem(stem)) == safe_stem(stem)


def test_the_name_can_be_made(tmp_path: Path) -> None:
    for stem in ("岩" * 200, "a\n/b", "'; drop"):
        (tmp_path / product_name(stem, "tiff")).mkdir()
    assert len(list(tmp_path.iterdir())) == 3
