"""The commands: their options, what they print, their exit codes."""
