"""The peers' side: runs by itself in any Python that has numpy and a peer.

It imports nothing of this program, so that a peer that lives in another environment (tomopy
in conda) is measured in the same run on the same data. The driver starts it as a script; each
line on standard input is a request in JSON, each line on standard output its answer.
Arrays go by .npy files. Peers are called as their own documentation calls them. It is one
file, and a long one, because another environment is given this file and nothing beside it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Options = dict[str, Any]
Work = Callable[[Arrays, Options], Any]
"""Returns an array, or a dict of further facts."""

MODULES = {
    "algotom": "algotom",
    "astra-toolbox": "astra",
    "scikit-image": "skimage",
    "tomopy": "tomopy",
}
"""Distribution and the module to import."""


# ---- reconstruction: sinograms (slice, angle, column), angles_deg, center -----------------


_memory: dict[str, Any] = {}


def _kept(name: str, shape: tuple[int, ...], options: Options) -> Any:
    """Memory for a result: that of the last call, or new where the options say ``fresh``."""
    if options["fresh"] or name not in _memory or _memory[name].shape != shape:
        _memory[name] = None  # free the old memory first
        _memory[name] = np.empty(shape, np.float32)
    return _memory[name]


def tomopy_gridrec(arrays: Arrays, options: Options) -> Any:
    """Gridrec with a plain ramp and no padding."""
    import tomopy

    n_slices, _, n_columns = arrays["sinograms"].shape
    return tomopy.recon(
        arrays["sinograms"], np.deg2rad(arrays["angles_deg"]), center=options["center_px"],
        sinogram_order=True, algorithm="gridrec", filter_name="ramlak", ncore=options["threads"],
        init_recon=_kept("slices", (n_slices, n_columns, n_columns), options),
    )  # fmt: skip


def tomopy_production(arrays: Arrays, options: Options) -> Any:
    """Gridrec as production at 8.3.2 runs it: edges padded to N sqrt(2), Butterworth, crop."""
    import tomopy

    sinograms = arrays["sinograms"]
    n_slices, n_angles, n_columns = sinograms.shape
    pad = int(np.ceil((n_columns * np.sqrt(2) - n_columns) / 2))
    size = n_columns + 2 * pad
    wide = _kept("wide", (n_slices, n_angles, size), options)
    wide[:, :, :pad] = sinograms[:, :, :1]
    wide[:, :, pad:-pad] = sinograms
    wide[:, :, -pad:] = sinograms[:, :, -1:]
    slices = tomopy.recon(
        wide, np.deg2rad(arrays["angles_deg"]), center=options["center_px"] + pad,
        sinogram_order=True, algorithm="gridrec", filter_name="butterworth",
        filter_par=[0.25, 2.0], ncore=options["threads"],
        init_recon=_kept("slices", (n_slices, size, size), options),
    )  # fmt: skip
    return slices[:, pad:-pad, pad:-pad]


def skimage_fbp(arrays: Arrays, options: Options) -> Any:
    """Filtered back-projection of scikit-image, slice by slice."""
    from skimage.transform import iradon

    shift = (arrays["sinograms"].shape[-1] - 1) / 2 - options["center_px"]
    if abs(shift) > 0.51:
        raise ValueError("iradon wants the axis in the middle")
    return np.stack(
        [
            iradon(sinogram.T, theta=arrays["angles_deg"], circle=True)
            for sinogram in arrays["sinograms"]
        ]
    )


def astra_fbp(arrays: Arrays, options: Options) -> Any:
    """Filtered back-projection of ASTRA: on the GPU when there is one, else on the CPU."""
    import astra

    sinograms = arrays["sinograms"]
    n_columns = sinograms.shape[-1]
    beams = astra.create_proj_geom("parallel", 1.0, n_columns, np.deg2rad(arrays["angles_deg"]))
    grid = astra.create_vol_geom(n_columns, n_columns)
    on_gpu = astra.use_cuda()
    projector = astra.create_projector("cuda" if on_gpu else "linear", beams, grid)
    slices = np.empty((len(sinograms), n_columns, n_columns), np.float32)
    for sinogram, picture in zip(sinograms, slices, strict=True):
        source, target = (
            astra.data2d.create("-sino", beams, sinogram),
            astra.data2d.create("-vol", grid),
        )
        config = astra.astra_dict("FBP_CUDA" if on_gpu else "FBP")
        config.update(ProjectorId=projector, ProjectionDataId=source, ReconstructionDataId=target)
        algorithm = astra.algorithm.create(config)
        astra.algorithm.run(algorithm)
        picture[:] = astra.data2d.get(target)
        astra.algorithm.delete(algorithm)
        astra.data2d.delete([source, target])
    astra.projector.delete(projector)
    return slices


def algotom_dfi(arrays: Arrays, options: Options) -> Any:
    """Direct Fourier inversion of algotom, slice by slice."""
    from algotom.rec.reconstruction import dfi_reconstruction

    angles = np.deg2rad(arrays["angles_deg"])
    return np.stack(
        [
            dfi_reconstruction(
                sinogram, options["center_px"], angles=angles, apply_log=False,
                filter_name=None, ncore=options["threads"],
            )
            for sinogram in arrays["sinograms"]
        ]
    )  # fmt: skip


# ---- correction: frames (angle, row, column), flats, darks ---------------------------------


def tomopy_correct(arrays: Arrays, options: Options) -> Any:
    """Normalise, clamp, take the logarithm, and bring it into sinogram order."""
    import tomopy

    threads, (n_angles, n_rows, n_columns) = options["threads"], arrays["frames"].shape
    data = _kept("frames", (n_angles, n_rows, n_columns), options)
    data = tomopy.normalize(
        arrays["frames"], arrays["flats"], arrays["darks"], ncore=threads, out=data
    )
    np.maximum(data, 0.01, out=data)
    data = tomopy.minus_log(data, ncore=threads, out=data)
    sinograms = _kept("sinograms", (n_rows, n_angles, n_columns), options)
    np.copyto(sinograms, np.swapaxes(data, 0, 1))
    return sinograms


def algotom_correct(arrays: Arrays, options: Options) -> Any:
    """Flat-field correction of sinograms, clamp and logarithm."""
    from algotom.prep.correction import flat_field_correction

    flat, dark = arrays["flats"].mean(axis=0), arrays["darks"].mean(axis=0)
    data = flat_field_correction(arrays["frames"], flat, dark)
    data = -np.log(np.maximum(data, 0.01))
    return np.ascontiguousarray(np.swapaxes(data, 0, 1), dtype=np.float32)


# ---- ring filters: sinogram (angle, column) ------------------------------------------------


def tomopy_vo_all(arrays: Arrays, options: Options) -> Any:
    import tomopy

    return tomopy.remove_all_stripe(
        arrays["sinogram"][:, None], snr=options["snr"], la_size=options["size_large_px"],
        sm_size=options["size_small_px"], ncore=options["threads"],
    )[:, 0]  # fmt: skip


def algotom_vo_all(arrays: Arrays, options: Options) -> Any:
    from algotom.prep.removal import remove_all_stripe

    return remove_all_stripe(
        arrays["sinogram"], snr=options["snr"], la_size=options["size_large_px"],
        sm_size=options["size_small_px"],
    )  # fmt: skip


def tomopy_sorting(arrays: Arrays, options: Options) -> Any:
    import tomopy

    return tomopy.remove_stripe_based_sorting(
        arrays["sinogram"][:, None], size=options["size_small_px"], ncore=options["threads"]
    )[:, 0]


def algotom_sorting(arrays: Arrays, options: Options) -> Any:
    from algotom.prep.removal import remove_stripe_based_sorting

    return remove_stripe_based_sorting(arrays["sinogram"], size=options["size_small_px"])


def tomopy_wavelet(arrays: Arrays, options: Options) -> Any:
    import tomopy

    return tomopy.remove_stripe_fw(
        arrays["sinogram"][:, None], level=options["level"], wname=options["wavelet"],
        sigma=options["sigma"], pad=True, ncore=options["threads"],
    )[:, 0]  # fmt: skip


def algotom_wavelet(arrays: Arrays, options: Options) -> Any:
    from algotom.prep.removal import remove_stripe_based_wavelet_fft

    return remove_stripe_based_wavelet_fft(
        arrays["sinogram"], level=options["level"], size=options["sigma"],
        wavelet_name=options["wavelet"],
    )  # fmt: skip


def tomopy_titarenko(arrays: Arrays, options: Options) -> Any:
    import tomopy

    return tomopy.remove_stripe_ti(
        arrays["sinogram"][:, None], nblock=options["blocks"], alpha=options["alpha"],
        ncore=options["threads"],
    )[:, 0]  # fmt: skip


# ---- phase: projection (row, column) -------------------------------------------------------


def tomopy_paganin(arrays: Arrays, options: Options) -> Any:
    import tomopy

    return tomopy.retrieve_phase(
        arrays["projection"][None], pixel_size=options["pixel_cm"], dist=options["distance_cm"],
        energy=options["energy_kev"], alpha=options["alpha"], pad=True, ncore=options["threads"],
    )[0]  # fmt: skip


# ---- centre: sinogram (angle, column) of a half turn; two opposite projections -------------


def tomopy_center_vo(arrays: Arrays, options: Options) -> Any:
    import tomopy

    reach = options["reach_px"]
    found = tomopy.find_center_vo(
        arrays["sinogram"][:, None], smin=-reach, smax=reach, ncore=options["threads"]
    )
    return {"center_px": float(found)}


def algotom_center_vo(arrays: Arrays, options: Options) -> Any:
    from algotom.prep.calculation import find_center_vo

    middle, reach = arrays["sinogram"].shape[1] // 2, options["reach_px"]
    found = find_center_vo(
        arrays["sinogram"], start=middle - reach, stop=middle + reach, dsp=False,
        ncore=options["threads"],
    )  # fmt: skip
    return {"center_px": float(found)}


def tomopy_center_pc(arrays: Arrays, options: Options) -> Any:
    import tomopy

    found = tomopy.find_center_pc(arrays["first"], arrays["second"], tol=0.25)
    return {"center_px": float(found)}


def algotom_center_pc(arrays: Arrays, options: Options) -> Any:
    from algotom.prep.calculation import find_center_based_phase_correlation

    found = find_center_based_phase_correlation(arrays["first"], arrays["second"])
    return {"center_px": float(np.ravel(found)[0])}


# ---- analysis: volume (slice, y, x) ---------------------------------------------------------


def skimage_particles(arrays: Arrays, options: Options) -> Any:
    """Tell touching particles apart and measure them, as scikit-image's gallery does it."""
    from scipy import ndimage
    from skimage.measure import regionprops_table
    from skimage.morphology import h_maxima
    from skimage.segmentation import watershed

    mask = arrays["volume"] > options["threshold"]
    distance = ndimage.distance_transform_edt(mask)
    markers, _ = ndimage.label(h_maxima(distance, 0.5))
    labels = watershed(-distance, markers, mask=mask)
    regionprops_table(labels, properties=("area", "centroid", "inertia_tensor_eigvals"))
    return labels


def skimage_segmentation(arrays: Arrays, options: Options) -> Any:
    """Trainable segmentation as scikit-image's gallery has it, all features on."""
    from skimage.feature import multiscale_basic_features
    from skimage.future import fit_segmenter, predict_segmenter
    from sklearn.ensemble import RandomForestClassifier

    features = multiscale_basic_features(
        arrays["volume"], intensity=True, edges=True, texture=True,
        sigma_min=options["sigma_min"], sigma_max=options["sigma_max"],
        workers=options["threads"],
    )  # fmt: skip
    forest = RandomForestClassifier(
        n_estimators=options["trees"], max_depth=options["depth"], class_weight="balanced",
        n_jobs=options["threads"], random_state=0,
    )  # fmt: skip
    return predict_segmenter(features, fit_segmenter(arrays["marks"], features, forest))


# ---- the whole: a scan's rows to TIFF slices -----------------------------------------------


def tomopy_script(arrays: Arrays, options: Options) -> Any:
    """The production recipe as a plain script: one step after the other, slab by slab."""
    import h5py
    import tifffile
    import tomopy

    start, stop = options["rows"]
    threads, pixel_cm = options["threads"], options["pixel_cm"]
    folder = Path(options["output"])
    folder.mkdir(parents=True, exist_ok=True)
    seconds = dict.fromkeys(("read", "correct", "rings", "reconstruct", "write"), 0.0)

    def lap(stage: str, since: float) -> float:
        now = time.perf_counter()
        seconds[stage] += now - since
        return now

    with h5py.File(options["scan"], "r") as file:
        theta = np.deg2rad(-file["exchange/theta"][:])
        for first in range(start, stop, options["slab"]):
            rows = slice(first, min(first + options["slab"], stop))
            at = time.perf_counter()
            frames, flats, darks = (
                file[f"exchange/{name}"][:, rows] for name in ("data", "data_white", "data_dark")
            )
            at = lap("read", at)
            data = tomopy.normalize(frames, flats, darks, ncore=threads)
            np.maximum(data, 0.01, out=data)
            data = tomopy.minus_log(data, ncore=threads)
            at = lap("correct", at)
            data = tomopy.remove_stripe_fw(
                data, level=8, wname="db5", sigma=3, pad=True, ncore=threads
            )
            at = lap("rings", at)
            n_columns = data.shape[2]
            pad = int(np.ceil((n_columns * np.sqrt(2) - n_columns) / 2))
            data = tomopy.misc.morph.pad(data, 2, npad=pad, mode="edge")
            slices = tomopy.recon(
                data, theta, center=options["center_px"] + pad, algorithm="gridrec",
                filter_name="butterworth", filter_par=[0.25, 2.0], ncore=threads,
            )[:, pad:-pad, pad:-pad]  # fmt: skip
            slices = tomopy.circ_mask(slices / pixel_cm, 0, ncore=threads)
            at = lap("reconstruct", at)
            for index, picture in enumerate(slices):
                tifffile.imwrite(folder / f"slice_{first + index:05d}.tiff", picture)
            lap("write", at)
    return {"seconds": seconds}


TASKS: dict[str, dict[str, Work]] = {
    "particles": {"scikit-image": skimage_particles},
    "gridrec": {"tomopy": tomopy_gridrec},
    "gridrec-production": {"tomopy": tomopy_production},
    "fbp": {"scikit-image": skimage_fbp, "astra-toolbox": astra_fbp, "algotom": algotom_dfi},
    "correct": {"tomopy": tomopy_correct, "algotom": algotom_correct},
    "rings-vo-all": {"algotom": algotom_vo_all, "tomopy": tomopy_vo_all},
    "rings-sorting": {"algotom": algotom_sorting, "tomopy": tomopy_sorting},
    "rings-wavelet-fourier": {"algotom": algotom_wavelet, "tomopy": tomopy_wavelet},
    "rings-titarenko": {"tomopy": tomopy_titarenko},
    "trainable-segmentation": {"scikit-image": skimage_segmentation},
    "paganin": {"tomopy": tomopy_paganin},
    "center-vo": {"algotom": algotom_center_vo, "tomopy": tomopy_center_vo},
    "center-phase-correlation": {"algotom": algotom_center_pc, "tomopy": tomopy_center_pc},
    "end-to-end": {"tomopy": tomopy_script},
}
"""What is measured, and who can do it how."""


def available() -> dict[str, dict[str, str]]:
    """Return version, or the reason why not, of every peer: name -> {version} or {reason}."""
    found = {}
    for name, module in MODULES.items():
        try:
            importlib.import_module(module)
            found[name] = {"version": version(name)}
        except PackageNotFoundError:
            found[name] = {"version": "unknown"}
        except Exception as error:  # noqa: BLE001 - broken installs fail in many ways; all are said
            found[name] = {"reason": f"{type(error).__name__}: {error}"}
    return found


def answer(request: dict[str, Any], cache: dict[str, Any]) -> dict[str, Any]:
    """Do one request: ``{"task", "library", "inputs", "options", "output"}``."""
    if request["task"] == "available":
        return available()
    work = TASKS[request["task"]][request["library"]]
    paths = request["inputs"]
    if cache.get("paths") != paths:
        cache["paths"] = paths
        cache["arrays"] = {name: np.load(path) for name, path in paths.items()}
    # Some peers work in place; each call gets arrays of its own, outside the timing.
    arrays = {name: array.copy() for name, array in cache["arrays"].items()}
    began = time.perf_counter()
    result = work(arrays, request["options"])
    seconds = time.perf_counter() - began
    if isinstance(result, dict):
        return {"seconds": seconds, "facts": result}
    if request["output"]:
        np.save(request["output"], result)
    return {"seconds": seconds, "facts": {}}


def main() -> None:
    """Answer requests until standard input ends."""
    # Peers print to standard output now and then; the answers get a channel of their own.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        cache: dict[str, Any] = {}
        for line in sys.stdin:
            try:
                reply = answer(json.loads(line), cache)
            except Exception as error:  # noqa: BLE001 - the driver reports it with the peer's name
                traceback.print_exc()
                reply = {"error": f"{type(error).__name__}: {error}"}
            answers.write(json.dumps(reply) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
