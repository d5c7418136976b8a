"""How work is cut up: blocks, cores and memory that is used again.  No mathematics."""
