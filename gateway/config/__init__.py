"""From files to a checked configuration, every error of all files with file, line and column."""
