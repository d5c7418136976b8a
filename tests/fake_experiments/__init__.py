"""Two tiny experiments, for the tests of the frame."""
