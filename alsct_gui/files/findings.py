"""The one table of everything that can be found wrong with a scan.

Readers and `check` take names, severities and remedies from here and nowhere else;
docs/checks.md lists the same names, held to it by a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from alsct_gui.model.errors import InputError, UnsafeInputError
from alsct_gui.model.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class FindingKind:
    """What is always true of a finding of this name."""

    severity: Severity
    """How much it matters."""
    meaning: str
    """What it means for the scan, one sentence."""
    fix: str
    """What to do about it."""


_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
_COPY_AGAIN = "Copy the file again from where it was taken, or wait until it has arrived"

KINDS: Mapping[str, FindingKind] = MappingProxyType(
    {
        # The file itself.
        "not-found": FindingKind(_ERROR, "There is nothing to open.", "Check the path"),
        "not-hdf5": FindingKind(
            _ERROR, "The file is neither HDF5 nor TIFF.", "Give a raw scan (.h5, .nxs, .tif)"
        ),
        "not-a-scan": FindingKind(
            _ERROR,
            "No frames were found where any known layout keeps them.",
            "Name the layout if it is known, or open another file",
        ),
        "truncated": FindingKind(_ERROR, "The end of the file is missing.", _COPY_AGAIN),
        "still-being-written": FindingKind(
            _ERROR,
            "The file is not whole yet, or its writer was killed.",
            "Wait until the acquisition has closed it",
        ),
        "unreadable": FindingKind(_ERROR, "The file is damaged.", _COPY_AGAIN),
        "reader-lost": FindingKind(
            _ERROR, "The file makes the reader hang or crash, so it is damaged.", _COPY_AGAIN
        ),
        "unknown-filter": FindingKind(
            _ERROR,
            "The frames are compressed with a filter that is not installed here.",
            "Install the filter's HDF5 plugin, or rewrite the file with a common one",
        ),
        "external-link-refused": FindingKind(
            _WARNING,
            "What lies outside the scan's own folder is never read.",
            "Copy the linked file beside the scan",
        ),
        "external-link-dangling": FindingKind(
            _INFO,
            "The files that these links name are not beside the scan.",
            "Copy them beside the scan if their values are wanted",
        ),
        "virtual-source-refused": FindingKind(
            _WARNING,
            "A virtual dataset takes its values from other files, which is not followed.",
            "Rewrite the dataset as an ordinary one",
        ),
        "external-storage-refused": FindingKind(
            _WARNING,
            "The values lie in another file outside HDF5, which is not followed.",
            "Rewrite the dataset as an ordinary one",
        ),
        "link-loop": FindingKind(
            _WARNING, "A link leads back to itself.", "Remove the link from the file"
        ),
        "metadata-bounded": FindingKind(
            _WARNING,
            "The file holds more metadata than any scan does; the rest was not read.",
            "Check where the file comes from",
        ),
        # Shapes and types.
        "shape-absurd": FindingKind(
            _ERROR,
            "The frames that the file declares cannot be in it.",
            _COPY_AGAIN,
        ),
        "dtype-absurd": FindingKind(
            _ERROR, "The values are no pixel values.", "Open a file with integer or float frames"
        ),
        "frame-size-mismatch": FindingKind(
            _WARNING,
            "The size that the metadata give is not the size of the frames.",
            "Trust the frames; tell the beamline staff",
        ),
        "frame-count-mismatch": FindingKind(
            _WARNING,
            "Frames were announced that are not there, or the other way round.",
            "Check whether the acquisition was stopped early",
        ),
        "tiles-several": FindingKind(
            _INFO, "The file holds several tiles; one is opened.", "Name another tile to open it"
        ),
        "layout-assumed": FindingKind(
            _INFO,
            "The file does not say where it was taken; the sense of rotation is as stored.",
            "Name the layout if the slices come out mirrored",
        ),
        "quantity-assumed": FindingKind(
            _INFO,
            "The file does not say whether it holds counts, transmission or line integrals.",
            "Say what the values are if this is wrong",
        ),
        # Frames.
        "frames-zero": FindingKind(
            _ERROR,
            "Frames hold nothing but zeros: they were never written, or the shutter was shut.",
            "Check whether the acquisition was stopped early; reconstruct without these frames",
        ),
        "frames-unreadable": FindingKind(_ERROR, "Frames cannot be read back.", _COPY_AGAIN),
        "frames-not-finite": FindingKind(
            _WARNING, "Pixels are NaN or infinite.", "Check how the frames were made"
        ),
        "projections-saturated": FindingKind(
            _WARNING,
            "Many pixels are at the detector's maximum, where the absorption is unknown.",
            "Take the scan again with a shorter exposure",
        ),
        "flats-missing": FindingKind(
            _WARNING,
            "Without flats the beam's structure stays in the slices.",
            "Name flats of another scan with the same optics, if there are any",
        ),
        "flats-saturated": FindingKind(
            _WARNING,
            "Saturated flats make the sample look denser than it is.",
            "Take flats again with a shorter exposure",
        ),
        "flats-not-brighter": FindingKind(
            _WARNING,
            "The flats are no brighter than the darks: the beam was off or the shutter shut.",
            "Take flats again, or take those of another scan",
        ),
        "darks-missing": FindingKind(
            _WARNING,
            "Without darks the camera's offset stays in the values.",
            "Take darks with the next scan; the stored constant is used when there is one",
        ),
        "values-negative": FindingKind(
            _INFO, "Raw counts are negative somewhere.", "Check how the frames were made"
        ),
        # Angles.
        "angles-missing": FindingKind(
            _WARNING,
            "The angles are taken as evenly spaced.",
            "Check the range; a wrong one smears the slices",
        ),
        "angles-count-mismatch": FindingKind(
            _WARNING,
            "There is not one angle for each projection.",
            "Check whether the acquisition was stopped early",
        ),
        "angles-not-finite": FindingKind(
            _WARNING,
            "Angles are NaN, infinite or beyond any turn; evenly spaced ones are taken instead.",
            "Check the rotation stage's encoder",
        ),
        "angles-not-monotone": FindingKind(
            _WARNING,
            "The stage seems to have turned back and forth.",
            "Check the rotation stage's encoder",
        ),
        "angles-duplicate": FindingKind(
            _WARNING,
            "Some views were taken twice at one angle.",
            "Check the rotation stage's encoder",
        ),
        "angles-range-short": FindingKind(
            _WARNING,
            "Less than a half turn was taken: some directions are missing from the slices.",
            "Take an iterative engine, or scan a half turn",
        ),
        # Metadata.
        "pixel-size-missing": FindingKind(
            _WARNING, "Values come out per pixel, not per centimetre.", "Give the pixel size"
        ),
        "distance-missing": FindingKind(
            _WARNING,
            "Phase retrieval needs the distance from sample to detector.",
            "Give it in the recipe when phase retrieval is wanted",
        ),
        "energy-missing": FindingKind(
            _WARNING,
            "Phase retrieval needs the photon energy.",
            "Give it in the recipe when phase retrieval is wanted",
        ),
        "value-odd": FindingKind(
            _WARNING,
            "A metadata value cannot be right and was left out.",
            "Tell the beamline staff",
        ),
        "metadata-missing": FindingKind(
            _WARNING,
            "The scan can be reconstructed; the catalogue entry will lack these.",
            "Tell the beamline staff",
        ),
    }
)


def finding(name: str, detail: str, *, where: str = "") -> Finding:
    """Make a finding: `detail` says what was found here, the table what it means."""
    kind = KINDS[name]
    return Finding(name, kind.severity, f"{_sentence(detail)} {kind.meaning}", kind.fix, where)


def broken(name: str, detail: str, *, where: str = "") -> InputError:
    """Make the error for a finding that makes the scan impossible to open."""
    kind = KINDS[name]
    return InputError(_join(detail, kind), where=where, fix=kind.fix, name=name)


def unsafe(name: str, detail: str, *, where: str = "") -> UnsafeInputError:
    """Make the error for something that reaches outside the scan's own folder."""
    kind = KINDS[name]
    return UnsafeInputError(_join(detail, kind), where=where, fix=kind.fix, name=name)


def finding_of(error: InputError) -> Finding:
    """Turn an error back into the finding it amounts to; such a finding is fatal."""
    name = error.name or "unreadable"
    return Finding(name, Severity.ERROR, _sentence(error.what), error.fix, error.where)


def _join(detail: str, kind: FindingKind) -> str:
    return f"{_sentence(detail)} {kind.meaning}".rstrip(".")


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith(".") else f"{text}."
