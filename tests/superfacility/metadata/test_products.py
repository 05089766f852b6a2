"""Products read for their records: the same here and at NERSC, whatever they are called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from alsct_gui.files.provenance import provenance_to_plain
from alsct_gui.model.errors import InputError
from alsct_gui.superfacility.compute.here import Here
from alsct_gui.superfacility.metadata.base import RecordFile
from alsct_gui.superfacility.metadata.build import Made
from alsct_gui.superfacility.metadata.products import FolderProducts, LookedProducts, listed


@pytest.fixture
def product(tmp_path: Path, made: Made) -> Path:
    """Files as a volume has them, with an odd name among them."""
    path = tmp_path / "rec it's $(touch harm)\n.zarr"
    for name in ("0/c/0/0/0", "0/zarr.json", "1/c/é '\"$x\n\t"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(name.encode())
    plain = provenance_to_plain(made.provenance)
    (path / "zarr.json").write_text(json.dumps({"attributes": {"alsct": plain}}))
    return path


@pytest.fixture
def there(tmp_path: Path) -> Iterator[LookedProducts]:
    """A place that is looked at by a command."""
    looker = Here(tmp_path / "jobs")
    yield LookedProducts(looker)
    looker.close()


def test_it_is_read_the_same_here_and_there(
    product: Path, made: Made, there: LookedProducts
) -> None:
    here, seen = FolderProducts().read(str(product)), there.read(str(product))
    assert (seen.provenance.recipe, seen.folder) == (here.provenance.recipe, here.folder)
    assert [(f.path, f.size_bytes) for f in seen.files] == [
        (f.path, f.size_bytes) for f in here.files
    ]
    assert {file.modified for file in seen.files} == {made.provenance.created}
    assert here.provenance.recipe == made.provenance.recipe
    assert [file.path for file in here.files] == sorted(
        ["0/c/0/0/0", "0/zarr.json", "1/c/é '\"$x\n\t", "zarr.json"]
    )
    assert all(file.size_bytes == (product / file.path).stat().st_size for file in here.files)
    assert not list(product.parent.glob("harm"))


def test_a_tiff_stack_tells_beside_its_slices(
    product: Path, made: Made, there: LookedProducts
) -> None:
    (product / "zarr.json").unlink()
    plain = provenance_to_plain(made.provenance)
    (product / "provenance.json").write_text(json.dumps(plain))
    here, seen = FolderProducts().read(str(product)), there.read(str(product))
    assert seen.provenance.created == here.provenance.created


def test_of_too_many_files_the_folders_are_told() -> None:
    files = [RecordFile(f"a/{n}", n, f"2026-01-0{n}T00:00:00.000Z") for n in (1, 3, 2)]
    told = listed([*files, RecordFile("b", 7, "x")], 3)
    assert told == (RecordFile("a", 6, "2026-01-03T00:00:00.000Z"), RecordFile("b", 7, "x"))


@pytest.mark.parametrize("where", ["here", "there"])
def test_what_is_no_product_is_told(
    where: str, tmp_path: Path, product: Path, there: LookedProducts
) -> None:
    reader = FolderProducts() if where == "here" else there
    with pytest.raises(InputError):
        reader.read(str(tmp_path / "absent"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError):
        reader.read(str(tmp_path / "empty"))
    for text in ('{"attributes": {"alsct": {"recipe": 1}}}', "[]", '{"attributes": {}}', "{"):
        (product / "zarr.json").write_text(text)
        with pytest.raises(InputError):
            reader.read(str(product))
