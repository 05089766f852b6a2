"""The panel at the right: from a preset to every setting, the axis, sweeps, and the whole run."""
