"""Colours, sizes and icons, for dark and light."""
