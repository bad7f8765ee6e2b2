"""What is wrong with this installation, in words, and how to mend it."""
