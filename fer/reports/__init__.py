"""Pages, cards and texts about results."""
