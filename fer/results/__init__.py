"""What an analysis gave: records of it, and the files that they are kept in."""
