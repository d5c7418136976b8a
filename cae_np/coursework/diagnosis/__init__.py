"""What is wrong with a function, and how to say it to somebody whose check has just failed."""
