"""Many pictures at once: in threads or on many machines, with results that outlive an interruption."""
