"""The command line's commands: each module has `run(args)`, which returns the exit code."""
