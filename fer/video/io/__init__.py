"""Read and write videos and their sound."""
