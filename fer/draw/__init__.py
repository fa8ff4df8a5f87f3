"""Faces drawn onto pictures and frames."""
