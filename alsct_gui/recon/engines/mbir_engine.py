"""Model-based iterative reconstruction by svmbir, for few views and for noise.

svmbir holds the interpreter's lock for its whole run and at first use builds a system
matrix of some 6.5 bytes per pixel and view, which it keeps on disk. So it works in a
process of its own (`mbir_worker`), which ends with this one and can be ended by `cancel`;
its matrices lie in the user's cache folder, in bounded space; and `estimate` tells the cost
before anything is begun.

Conventions (measured with svmbir 0.5): angles in radians; ``center_offset`` is the axis
minus the middle column; a slice comes out with its axes exchanged against
`alsct_gui.model.geometry`; the scale is 1/pixel.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

from alsct_gui.model.errors import (
    CancelledError,
    EngineUnavailableError,
    RecipeError,
    ResourceError,
)
from alsct_gui.model.recipe import EngineSettings
from alsct_gui.recon.engines.arguments import (
    check_shapes,
    choose_algorithm,
    prepare_output,
    unavailable,
)
from alsct_gui.recon.engines.base import (
    Availability,
    Capabilities,
    Cost,
    Float32Array,
    SliceGeometry,
)

_MODULE = "svmbir"
_FIX = "pip install 'alsct-gui[mbir]'"
_WORKER = "alsct_gui.recon.engines.mbir_worker"
_BLOCK = 8  # slices that are reconstructed, and smoothed, together
_CACHE_BYTES = 8 << 30
# Measured with svmbir 0.5 on one thread, per pixel of the slice's circle and view.
_MATRIX_BYTES = 6.6
_PEAK_BYTES = 18.0
_BUILD_S = 2.0e-6
_ITERATION_S = 1.1e-8
_START_S = 2.0


class MbirEngine:
    """Reconstruct by svmbir in a worker process.

    Parameters
    ----------
    cache_folder
        Where system matrices are kept; None for the user's cache folder.
    cache_bytes
        How much they may take there; the ones used longest ago go first. A matrix larger
        than that is not kept.
    """

    def __init__(self, cache_folder: Path | None = None, cache_bytes: int = _CACHE_BYTES) -> None:
        self._cache = cache_folder or _user_cache() / "alsct-gui" / "svmbir"
        self._cache_bytes = cache_bytes
        self._lock = threading.Lock()
        self._workers: set[subprocess.Popen[bytes]] = set()
        self._cancels = 0  # how often `cancel` was called

    def capabilities(self) -> Capabilities:
        """See `Engine.capabilities`."""
        return Capabilities(
            name="mbir",
            title="Model-based iterative reconstruction (svmbir)",
            algorithms=("mbir",),
            iterative=True,
            own_process=True,
            note=(
                "For few or noisy views: minutes a slice, and memory of about 18 bytes per "
                "pixel and view (2560 columns x 131 views: 12 GB), so bin or crop first."
            ),
        )

    def check(self) -> Availability:
        """See `Engine.check`."""
        if importlib.util.find_spec(_MODULE) is None:
            return Availability(ok=False, reason="svmbir is not installed.", fix=f"{_FIX}.")
        version, error = _try_import()
        if error:
            return unavailable(
                EngineUnavailableError(
                    f"svmbir is installed but cannot be imported: {error}", fix=_FIX
                )
            )
        return Availability(ok=True, version=version, details={"cache": str(self._cache)})

    def estimate(self, geometry: SliceGeometry, n_slices: int, settings: EngineSettings) -> Cost:
        """Estimate memory, disk and time of a call; see `Estimating`.

        The time holds for one thread and all iterations; svmbir stops earlier when it
        converges, and saves the building of a matrix that it finds in its cache.
        """
        pixels = math.pi / 4 * geometry.size**2
        elements = pixels * geometry.angles_deg.size
        block = 4 * min(n_slices, _BLOCK) * (3 * _sinogram_size(geometry) + 2 * geometry.size**2)
        matrices = np.unique(geometry.centers(n_slices)).size
        return Cost(
            memory_bytes=int(_PEAK_BYTES * elements + block),
            disk_bytes=int(_MATRIX_BYTES * elements)
            + 4 * n_slices * (_sinogram_size(geometry) + geometry.size**2),
            seconds=_START_S
            + matrices * _BUILD_S * elements
            + _ITERATION_S * elements * n_slices * settings.iterations,
        )

    def memory_needed(
        self, geometry: SliceGeometry, n_slices: int, settings: EngineSettings
    ) -> int:
        """See `Engine.memory_needed`; the worker's memory."""
        return self.estimate(geometry, n_slices, settings).memory_bytes

    def reconstruct(
        self,
        sinograms: Float32Array,
        geometry: SliceGeometry,
        settings: EngineSettings,
        *,
        out: Float32Array | None = None,
        threads: int = 1,
    ) -> Float32Array:
        """See `Engine.reconstruct`; pixels outside the slice's inscribed circle are 0.

        Raises
        ------
        CancelledError
            `cancel` was called from another thread.
        ResourceError
            The machine has less memory, or less room on disk, than the estimate.
        EngineUnavailableError
            svmbir failed; the message holds its last words.
        """
        cancels = self._cancels
        choose_algorithm(settings, self.capabilities())
        _check_prior(settings)
        check_shapes(sinograms, geometry)
        out = prepare_output(out, len(sinograms), geometry)
        cost = self.estimate(geometry, len(sinograms), settings)
        _check_memory(cost)
        matrix_bytes = int(_MATRIX_BYTES * math.pi / 4 * geometry.size**2) * len(
            geometry.angles_deg
        )
        with tempfile.TemporaryDirectory(prefix="alsct-mbir-") as name:
            folder = Path(name)
            library = folder / "library"
            if matrix_bytes <= self._cache_bytes and str(self._cache).isascii():
                library = self._cache
                _trim_cache(library, self._cache_bytes - matrix_bytes)
            _check_disk(library, cost)
            np.save(folder / "sinograms.npy", sinograms)
            job = _job(geometry, settings, len(sinograms), library, threads)
            (folder / "job.json").write_text(json.dumps(job))
            self._run_worker(folder, cancels)
            # Exchange of axes: see the text of this module.
            out[:] = np.load(folder / "slices.npy", mmap_mode="r").transpose(0, 2, 1)
        return out

    def cancel(self) -> None:
        """End all calls under way with their worker processes; see `Cancellable`."""
        with self._lock:
            self._cancels += 1
            for worker in self._workers:
                _kill(worker)

    def _run_worker(self, folder: Path, cancels: int) -> None:
        with (folder / "log.txt").open("wb") as log:
            worker = subprocess.Popen(  # noqa: S603 - this program's own module
                [sys.executable, "-m", _WORKER, str(folder)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # so that it is killed with all that it starts
            )  # fmt: skip
        try:
            with self._lock:
                self._workers.add(worker)
                if self._cancels != cancels:
                    _kill(worker)
            code = worker.wait()
        finally:
            with self._lock:
                _kill(worker)
                self._workers.discard(worker)
        if self._cancels != cancels:
            raise CancelledError("cancelled")
        if code != 0:
            words = (folder / "log.txt").read_text(errors="replace").strip().splitlines()
            raise EngineUnavailableError(
                f"svmbir ended with code {code}: {words[-1] if words else 'it said nothing'}",
                where="engine 'mbir'", fix="See alsct engines, or take another engine",
            )  # fmt: skip


def _job(
    geometry: SliceGeometry, settings: EngineSettings, n_slices: int, library: Path, threads: int
) -> dict[str, object]:
    """What the worker is asked to do: plain data."""
    return {
        "parent": os.getpid(),
        "library": str(library),
        "angles_rad": np.deg2rad(geometry.angles_deg).tolist(),
        "offsets_px": (geometry.centers(n_slices) - (geometry.n_columns - 1) / 2).tolist(),
        "size": geometry.size,
        "block": _BLOCK,
        "options": {
            "p": settings.p, "q": settings.q, "T": settings.t, "snr_db": settings.snr_db,
            "sharpness": settings.sharpness, "max_iterations": settings.iterations,
            "num_threads": max(1, threads), "verbose": 0,
        },
    }  # fmt: skip


def _sinogram_size(geometry: SliceGeometry) -> int:
    return geometry.angles_deg.size * geometry.n_columns


@functools.cache
def _try_import() -> tuple[str, str]:
    """Version of svmbir, or the error of its import; tried in a process of its own."""
    code = f"import {_MODULE}; print({_MODULE}.__version__)"
    done = subprocess.run(  # noqa: S603 - a constant
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode == 0:
        return done.stdout.strip(), ""
    words = done.stderr.strip().splitlines()
    return "", words[-1] if words else f"it ended with code {done.returncode}"


def _user_cache() -> Path:
    """The XDG base directory for caches."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _trim_cache(library: Path, keep_bytes: int) -> None:
    """Delete the system matrices used longest ago until the others take so much at most."""
    files = [(path.stat(), path) for path in library.glob("sysmatrix/*.2Dsvmatrix")]
    files.sort(key=lambda item: item[0].st_mtime)  # svmbir touches a matrix that it uses
    total = sum(stat.st_size for stat, _ in files)
    for stat, path in files:
        if total <= keep_bytes:
            return
        path.unlink(missing_ok=True)
        total -= stat.st_size


def _check_prior(settings: EngineSettings) -> None:
    """Refuse what svmbir would replace by a value of its own."""
    if settings.p > settings.q:
        raise RecipeError(
            f"p ({settings.p:g}) is above q ({settings.q:g})", where="recipe.engine.p",
            fix="Take p between 1 and q",
        )  # fmt: skip
    if settings.t <= 0:
        raise RecipeError("must be above 0", where="recipe.engine.t", fix="Take 0.1")


def _check_memory(cost: Cost) -> None:
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if cost.memory_bytes > machine:
        raise ResourceError(
            f"MBIR needs about {cost.memory_bytes / 1e9:.0f} GB of memory for slices of this "
            f"size and so many views; this machine has {machine / 1e9:.0f} GB",
            where="engine 'mbir'", fix="Use binning, a smaller region or fewer projections",
        )  # fmt: skip


def _check_disk(library: Path, cost: Cost) -> None:
    library.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(library).free
    if cost.disk_bytes > free:
        raise ResourceError(
            f"MBIR needs about {cost.disk_bytes / 1e9:.1f} GB for its system matrix; "
            f"{free / 1e9:.1f} GB are free",
            where=str(library), fix="Free some room, or set XDG_CACHE_HOME to a larger disk",
        )  # fmt: skip


def _kill(worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker that still runs, with its whole process group, and reap it."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
