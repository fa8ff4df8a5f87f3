"""Showing faces: on pictures, as plots, as tables, on pages."""
