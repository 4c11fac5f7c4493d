"""The only queue between field and broker: a window in memory that spills to append-only files."""
