"""Draw faces onto pictures and frames."""
