"""HTML pages, cards and texts about results."""
