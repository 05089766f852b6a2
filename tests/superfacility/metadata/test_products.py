"""Products read for their records: the same here and at NERSC, whatever they are called."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from alsct_gui.files.provenance import provenance_to_plain
from alsct_gui.model.errors import InputError
from alsct_gui.superfacility.errors import LinkDownError, NotThereError, RefusedError
from alsct_gui.superfacility.metadata.base import RecordFile
from alsct_gui.superfacility.metadata.build import Made
from alsct_gui.superfacility.metadata.products import FolderProducts, NerscProducts, listed
from alsct_gui.superfacility.scripts import HereScripts


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


def test_it_is_read_the_same_here_and_there(product: Path, made: Made) -> None:
    here = FolderProducts().read(str(product))
    there = NerscProducts(HereScripts()).read(str(product))
    assert here == there
    assert here.folder == str(product)
    assert here.provenance.recipe == made.provenance.recipe
    assert [file.path for file in here.files] == sorted(
        ["0/c/0/0/0", "0/zarr.json", "1/c/é '\"$x\n\t", "zarr.json"]
    )
    assert all(file.size_bytes == (product / file.path).stat().st_size for file in here.files)
    assert not list(product.parent.glob("harm"))


def test_a_tiff_stack_tells_beside_its_slices(product: Path, made: Made) -> None:
    (product / "zarr.json").unlink()
    plain = provenance_to_plain(made.provenance)
    (product / "provenance.json").write_text(json.dumps(plain))
    assert FolderProducts().read(str(product)) == NerscProducts(HereScripts()).read(str(product))


def test_of_too_many_files_the_folders_are_told(
    product: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import alsct_gui.superfacility.metadata.products as module

    monkeypatch.setattr(module, "MAX_FILES", 2)
    there = NerscProducts(HereScripts()).read(str(product))
    here = listed(FolderProducts().read(str(product)).files, 2)
    assert [(f.path, f.size_bytes) for f in there.files] == [(f.path, f.size_bytes) for f in here]
    assert [file.path for file in here] == ["0", "1", "zarr.json"]


def test_times_of_a_folder_are_those_of_its_newest_file() -> None:
    files = [RecordFile(f"a/{n}", n, f"2026-01-0{n}T00:00:00.000Z") for n in (1, 3, 2)]
    assert listed(files, 2) == (RecordFile("a", 6, "2026-01-03T00:00:00.000Z"),)


@pytest.mark.parametrize("reader", [FolderProducts(), NerscProducts(HereScripts())])
def test_what_is_no_product_is_told(
    reader: FolderProducts | NerscProducts, tmp_path: Path, product: Path
) -> None:
    with pytest.raises((InputError, NotThereError)):
        reader.read(str(tmp_path / "absent"))
    (tmp_path / "empty").mkdir()
    with pytest.raises((InputError, NotThereError)):
        reader.read(str(tmp_path / "empty"))
    (product / "zarr.json").write_text(json.dumps({"attributes": {"alsct": {"recipe": 1}}}))
    with pytest.raises(InputError):
        reader.read(str(product))


@pytest.mark.parametrize(
    "text",
    [
        "", "made e30=\nfiles AAA=\n", "made !\nfiles AAA=\ndone\n", "made e30=\ndone\n",
        "made e30=\nfiles AAA=\ndone\n", f"made {base64.b64encode(b'[]').decode()}\nfiles \ndone\n",
    ],
)  # fmt: skip
def test_what_is_no_answer_of_the_script_is_not_believed(text: str) -> None:
    class Says:
        def run(self, name: str, parts: Sequence[str]) -> str:
            return text

    with pytest.raises((LinkDownError, InputError)):
        NerscProducts(Says()).read("/made/a.zarr")


def test_the_script_refuses_what_it_is_not_for() -> None:
    for parts in (["relative", "1"], ["/", "x"], ["/"], ["/", "1", "2"]):
        assert HereScripts().run("product", parts).startswith("failed usage")
    with pytest.raises(RefusedError):
        NerscProducts(HereScripts()).read("relative")
