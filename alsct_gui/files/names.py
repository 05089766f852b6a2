"""Names of products after the scan they were made from, safe for any file system."""

from __future__ import annotations

import hashlib
import unicodedata

from alsct_gui.files.writers.base import VolumeFormat

MAX_BYTES = 180
"""Longest stem: leaves room, within 255 bytes, for ``rec``, the slice number, the name of a
partial product and that of an old one."""

_FORBIDDEN = set('/\\:*?"<>|')


def product_name(stem: str, format: VolumeFormat) -> str:  # noqa: A002 (the word of recipes)
    """Return the name of a reconstruction: ``rec<stem>.zarr``, or ``rec<stem>`` for TIFF."""
    suffix = ".zarr" if format == "ome-zarr" else ""
    return f"rec{safe_stem(stem)}{suffix}"


def safe_stem(stem: str) -> str:
    """Return a scan's name as one part of a path that people still recognise.

    Letters of any script, spaces and quotes stay. What separates paths, controls a
    terminal or is not a character becomes ``_``; dots and spaces at the ends go; a name
    that is too long is cut and gets a few digits of its checksum, so that two long names
    do not become one.
    """
    name = unicodedata.normalize("NFC", stem.encode("utf-8", "replace").decode("utf-8"))
    name = "".join(_safe_char(char) for char in name).strip(" .")
    if not name:
        name = "scan"
    if len(name.encode()) > MAX_BYTES:
        mark = hashlib.sha256(stem.encode("utf-8", "replace")).hexdigest()[:8]
        head = name.encode()[: MAX_BYTES - len(mark) - 1].decode("utf-8", "ignore")
        name = f"{head.rstrip(' .')}~{mark}"
    return name


def _safe_char(char: str) -> str:
    kind = unicodedata.category(char)
    if kind == "Zs":
        return " "  # any of the spaces that look like one
    # C*: control, invisible, private and unknown characters; Zl, Zp: line breaks.
    return "_" if char in _FORBIDDEN or kind[0] == "C" or kind in ("Zl", "Zp") else char
