"""From a scan and a recipe to slices."""
