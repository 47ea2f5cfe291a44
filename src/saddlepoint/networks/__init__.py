"""Networks that two or more recipes use."""
