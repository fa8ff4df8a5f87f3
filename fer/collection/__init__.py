"""Many pictures at once: in threads or on many machines, with results that survive an interruption."""
