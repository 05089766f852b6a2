"""What a check found in a scan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # the scan cannot be reconstructed as it is
    WARNING = "warning"  # it can, but the result may be wrong or poor
    INFO = "info"  # worth knowing


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: a stable name for programs, sentences for people."""

    name: str
    """Stable identifier in kebab case, for example ``flats-saturated``."""
    severity: Severity
    """How much it matters."""
    message: str
    """What was found and what it means, one or two sentences."""
    fix: str = ""
    """What to do about it; empty when there is nothing to do."""
    where: str = ""
    """Dataset or file it is about, relative to the scan; may be empty."""
