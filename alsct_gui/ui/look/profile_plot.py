"""The curve of a profile, or the histogram of a region."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from alsct_gui.ui.look.graph import make_plot, name_axis, paint_plot, shade
from alsct_gui.ui.look.measured import Measured
from alsct_gui.ui.look.profiles import Profile
from alsct_gui.ui.theme.style import tokens


class ProfilePlot(QWidget):
    """Made after pyqtgraph is imported (`graph.import_graphs`)."""

    def __init__(self) -> None:
        super().__init__()
        import pyqtgraph as pg

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.plot: Any = make_plot()
        self.plot.setAccessibleName("Profile")
        column.addWidget(self.plot)
        self.curve = pg.PlotCurveItem(connect="finite")
        self._lower, self._upper = (pg.PlotCurveItem(connect="finite") for _ in range(2))
        self._band = pg.FillBetweenItem(self._lower, self._upper)
        self._bins = pg.PlotCurveItem([0, 1], [0], stepMode="center", fillLevel=0)
        for item in (self._band, self._bins, self.curve):
            self.plot.addItem(item)
        self.renew_colors()

    def show_measured(self, found: Measured) -> None:
        """Show what was measured."""
        value = f"value ({found.unit})" if found.unit else "value"
        profile, bins = found.profile, found.histogram
        self.curve.setVisible(profile is not None)
        self._bins.setVisible(bins is not None)
        self._band.setVisible(profile is not None and profile.deviation is not None)
        if profile is not None:
            name_axis(self.plot, "bottom", f"distance ({profile.length_unit})")
            name_axis(self.plot, "left", value)
            self.curve.setData(profile.distance, profile.values)
            self._show_band(profile)
            self._fit(profile.distance, _drawn(profile))
        elif bins is not None:
            name_axis(self.plot, "bottom", value)
            name_axis(self.plot, "left", "pixels")
            self._bins.setData(bins.edges, bins.counts.astype(np.float64))
            self._fit(bins.edges, np.append(bins.counts, 0))

    def renew_colors(self) -> None:
        """Draw in the theme's colours."""
        import pyqtgraph as pg

        now = tokens()
        paint_plot(self.plot)
        self.curve.setPen(pg.mkPen(now.accent, width=1.5))
        self._band.setBrush(shade(now.accent, 0.2))
        self._bins.setPen(pg.mkPen(None))
        self._bins.setBrush(shade(now.faint, 0.55))

    def _show_band(self, profile: Profile) -> None:
        if profile.deviation is None:
            return
        known = np.isfinite(profile.values)
        place, values = profile.distance[known], profile.values[known]
        self._lower.setData(place, values - profile.deviation[known])
        self._upper.setData(place, values + profile.deviation[known])

    def _fit(self, across: np.ndarray, up: np.ndarray) -> None:
        up = up[np.isfinite(up)]
        self.plot.setXRange(float(across[0]), float(across[-1]) or 1.0, padding=0.01)
        if up.size:
            self.plot.setYRange(float(up.min()), float(up.max()), padding=0.06)


def _drawn(profile: Profile) -> np.ndarray:
    if profile.deviation is None:
        return profile.values
    return np.concatenate([profile.values - profile.deviation, profile.values + profile.deviation])
