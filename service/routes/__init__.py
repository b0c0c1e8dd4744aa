"""Routes: what the service does, over HTTP."""
