"""Results of analyses: records, and the files that keep them."""
