"""Building blocks of networks, one idea a file."""
