"""What is to be written: the tasks, their stubs, and the task whose answer is a check itself."""
