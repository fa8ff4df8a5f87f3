"""Reading and writing videos and their sound."""
