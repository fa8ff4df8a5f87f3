"""How good a model is, measured so that the figures can be trusted."""
