"""The Lambda door: an event comes in, the core is called, and the event is answered."""
