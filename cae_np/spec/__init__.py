"""What must be true of every operation, for the tests of this package and for students alike."""
