import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from alsct_bench.context import QUICK, Bench, Task
from alsct_bench.driver import Peer, PeerError, Peers
from alsct_bench.groups import GROUPS, load_group
from alsct_bench.measurement import Measurement, Target
from alsct_bench.report import COLUMNS, markdown, text_lines
from alsct_bench.run import run_bench
from alsct_bench.timing import take_turns
from alsct_gui.cli.bench import bench
from alsct_gui.model.errors import InputError, RecipeError

FAST_GROUPS = ["correction", "rings", "preview", "write"]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    app = typer.Typer()
    app.command()(bench)
    output = tmp_path_factory.mktemp("bench")
    words = [*FAST_GROUPS, "--quick", "--json", "--threads", "2", "--output", str(output)]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout), output


def test_every_row_has_the_documented_fields(printed: tuple[dict, Path]) -> None:
    rows = printed[0]["rows"]
    assert {row["group"] for row in rows} == set(FAST_GROUPS)
    for row in rows:
        assert {"name", "value", "unit", "peer", "ratio"} <= row.keys()
        assert isinstance(row["value"], float)
        assert row["value"] >= 0
        if row["unit"] in ("ms", "s"):
            assert row["value"] > 0
        if row["ratio"] is not None:
            assert row["peer"]
            assert row["ratio"] == pytest.approx(row["peer_value"] / row["value"])
    names = [(row["name"], row["peer"]) for row in rows]
    assert len(set(names)) == len(names)


def test_correctness_holds_at_any_size(printed: tuple[dict, Path]) -> None:
    judged = [row for row in printed[0]["rows"] if row["verdict"]]
    assert printed[0]["peers"], "no peer to compare with"
    if "algotom" in printed[0]["peers"]:
        assert {row["group"] for row in judged} == {"correction", "rings"}
    for row in judged:
        assert row["verdict"] == "met", row


def test_the_record_is_stored_with_the_machine(printed: tuple[dict, Path]) -> None:
    data, output = printed
    (path,) = output.glob("bench-*.json")
    stored = json.loads(path.read_text())
    assert stored["rows"] == data["rows"]
    assert stored["machine"]["cores"] >= 1
    assert stored["machine"]["versions"]["numpy"]
    (table,) = output.glob("bench-*.md")
    assert len(table.read_text().splitlines()) == 2 + len(data["rows"])


def test_engine_accuracy_without_any_peer(tmp_path: Path) -> None:
    with Peers([], tmp_path) as peers:
        alone = _Nobody(peers)
        rows = list(load_group("engine")(Bench(QUICK, True, 1, tmp_path, alone)))  # type: ignore[arg-type]
    judged = [row for row in rows if row.verdict(full_size=False)]
    assert len(judged) >= 2
    assert {row.verdict(full_size=False) for row in judged} == {"met"}
    assert all(row.peer in ("", "eight slices of one centre") for row in rows)


class _Nobody:
    """A machine on which no peer is installed."""

    def __init__(self, peers: Peers) -> None:
        self.versions: dict[str, str] = {}

    def offering(self, task: str) -> list[Peer]:
        return []


def test_every_group_can_be_loaded() -> None:
    for name in GROUPS:
        assert callable(load_group(name))


def test_an_unknown_group_is_named() -> None:
    with pytest.raises(RecipeError, match="'engin'"):
        run_bench(["engin"], quick=True)


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no-python"):
        Peers([tmp_path / "no-python"], tmp_path)


def test_an_interpreter_that_is_none_is_named(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\nraise SystemExit('no interpreter')\n")
    script.chmod(0o755)
    with pytest.raises(PeerError, match="no interpreter"):
        Peers([script], tmp_path)


def test_a_peer_that_fails_is_said_in_the_row(tmp_path: Path) -> None:
    with Peers([], tmp_path) as peers:
        if not peers.offering("fbp"):
            pytest.skip("no peer is installed")
        # The task's arrays are missing, so that every peer fails.
        comparison = Bench(QUICK, True, 1, tmp_path, peers).compare(
            "engine", "nothing", lambda: 1, tasks=[Task("fbp", {}, {"center_px": 0.0})]
        )
    assert comparison.rivals == []
    assert "KeyError" in comparison.rows[0].note


def test_turns_alternate_and_keep_their_counts() -> None:
    order: list[str] = []

    def run(name: str) -> float:
        order.append(name)
        return float(len(order))

    timings = take_turns([lambda: run("a"), lambda: run("b")], [3, 1])
    assert order == ["a", "b", "a", "a"]
    assert timings[0].seconds == (1.0, 3.0, 4.0)
    assert timings[0].median_s == 3.0
    assert timings[0].spread == 1.0
    assert timings[1].spread is None


@pytest.mark.parametrize(
    ("target", "ratio", "full_size", "verdict"),
    [
        (None, 9.0, True, ""),
        (Target("ratio", 4.0), 4.0, True, "met"),
        (Target("ratio", 4.0), 3.9, True, "missed"),
        (Target("ratio", 4.0), None, True, ""),
        (Target("ratio", 4.0), 3.9, False, ""),
        (Target("value", 2.0), None, True, "met"),
        (Target("value", 1.9), None, True, "missed"),
        (Target("value", 1.9, any_size=True), None, False, "missed"),
    ],
)
def test_verdicts(
    target: Target | None, ratio: float | None, full_size: bool, verdict: str
) -> None:
    row = Measurement("g", "n", 2.0, "ms", ratio=ratio, target=target)
    assert row.verdict(full_size=full_size) == verdict


def test_markdown_has_all_columns() -> None:
    lines = markdown([Measurement("g", "n", 2.0, "ms", note="so")], full_size=True).splitlines()
    assert lines[0].count("|") == len(COLUMNS) + 1
    assert lines[2].startswith("| n | 2 ms |")


def test_plain_lines_are_aligned() -> None:
    rows = [Measurement("g", "short", 2.0, "ms"), Measurement("g", "a longer name", 20.5, "s")]
    head, first, second = (line for line in text_lines(rows, full_size=True))
    assert head.index("here") == first.index("2 ms") == second.index("20.5 s")
