from __future__ import annotations

import re
from pathlib import Path

import pytest

from alsct_gui.files.plaintext import MAX_BYTES
from alsct_gui.files.profiles import load_profile, profile_names
from alsct_gui.files.recipes import load_recipe, preset_names, save_recipe
from alsct_gui.files.resources import resource_path
from alsct_gui.model.errors import OutputError, RecipeError
from alsct_gui.model.recipe import Recipe, RingFilter


def test_presets_load_and_bear_their_names() -> None:
    wanted = {
        "narrow-detector", "noisy", "phase-contrast", "quick-look", "sparse-view",
        "standard-8.3.2",
    }  # fmt: skip
    assert set(preset_names()) == wanted
    for name in preset_names():
        recipe = load_recipe(name)
        assert recipe.name == name
        assert recipe.description
        text = resource_path("recipes", f"{name}.yaml").read_text(encoding="utf-8")
        assert text.startswith("# ")


def test_the_standard_preset_is_the_production_recipe() -> None:
    recipe = load_recipe("standard-8.3.2")
    assert recipe.rings == (
        RingFilter("wavelet-fourier", sigma=3, level=8, wavelet="db5", pad=True),
    )
    engine = recipe.engine
    assert (engine.filter, engine.cutoff, engine.order) == ("butterworth", 0.25, 2)
    assert engine.padding == "edge"
    assert recipe.correction.transmission_min == 0.01
    assert recipe.output.circular_mask == 1.0
    assert recipe.output.units == "1/cm"


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".json"])
def test_recipes_survive_the_disk(tmp_path: Path, suffix: str) -> None:
    for name in preset_names():
        recipe = load_recipe(name)
        save_recipe(recipe, tmp_path / f"my{suffix}")
        assert load_recipe(tmp_path / f"my{suffix}") == recipe
    assert [path.name for path in tmp_path.iterdir()] == [f"my{suffix}"]


def test_a_recipe_without_a_name_takes_the_files(tmp_path: Path) -> None:
    (tmp_path / "rocks.yaml").write_text("region: {binning: 2}")
    assert load_recipe(tmp_path / "rocks.yaml").name == "rocks"
    (tmp_path / "void.yaml").write_text("# nothing\n")
    assert load_recipe(tmp_path / "void.yaml").engine == Recipe().engine
    assert load_recipe({"region": {"binning": 4}}).region.binning == 4


BOMB = "a: &a [x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "aliases are not allowed"),
        ("!!python/object/apply:os.system ['true']", "cannot be parsed"),
        ("a: [", "cannot be parsed"),
        ("[" * 5000, "more than 100 lists"),
        ("- " * 200 + "1", "more than 100 lists"),
        ("- 1\n- 2\n", "expected a group of settings"),
        ("engine: {name: 3}", "recipe.engine.name"),
        ("x" * (MAX_BYTES + 1), "is larger than"),
    ],
    ids=["bomb", "code", "open", "deep", "deep blocks", "list", "type", "large"],
)
def test_bad_files_are_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=re.escape(message)) as caught:
        load_recipe(path)
    assert "\n" not in str(caught.value)


def test_unknown_names_say_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"Take one of narrow-detector, .*standard-8\.3\.2"):
        load_recipe("standrad")
    with pytest.raises(RecipeError, match="no such file"):
        load_recipe(tmp_path / "absent.yaml")
    with pytest.raises(RecipeError, match="neither YAML nor JSON"):
        save_recipe(Recipe(), tmp_path / "recipe.txt")
    with pytest.raises(OutputError):
        save_recipe(Recipe(), tmp_path / "absent" / "recipe.yaml")


def test_the_profile_of_the_beamline() -> None:
    assert profile_names() == ("als-8.3.2",)
    profile = load_profile()
    assert profile.defaults.preset in preset_names()
    assert {"spot832", "data832_raw", "nersc832"} <= {item.name for item in profile.collections}
    matched = re.fullmatch(profile.naming.raw_file, "20240101_120000_a 'b' µ; rm_x01y02.h5")
    assert matched is not None
    tile = re.search(profile.naming.tile_suffix, matched["title"])
    assert tile is not None
    assert (tile["x"], tile["y"]) == ("01", "02")
    for folder in ("BLS-00564_dyparkinson", "_bls-00739_parkinson"):
        assert re.fullmatch(profile.naming.proposal_folder, folder)


def test_a_profile_with_a_bad_pattern_is_refused(tmp_path: Path) -> None:
    text = resource_path("profiles", "als-8.3.2.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("tile_suffix: '_x", "tile_suffix: '(_x"))
    with pytest.raises(RecipeError, match=r"profile\.naming\.tile_suffix"):
        load_profile(tmp_path / "mine.yaml")
    with pytest.raises(RecipeError, match="no profile 'als-9'"):
        load_profile("als-9")
