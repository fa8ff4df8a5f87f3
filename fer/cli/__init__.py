"""The commands: their options, output and exit codes."""
