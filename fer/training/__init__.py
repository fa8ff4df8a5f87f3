"""From a data set to a model file."""
