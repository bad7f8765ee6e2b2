"""What is kept of personal columns. Pure code: keys and rows come from the caller."""
