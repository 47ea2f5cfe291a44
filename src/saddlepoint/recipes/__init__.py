"""One file per system, named as the user types it."""
