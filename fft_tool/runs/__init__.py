"""From store to store: one source, many of them, and those that are done already."""
