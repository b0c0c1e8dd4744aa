"""The Lambda door: parse an event, call the core, and return the answer."""
