"""What several experiments do: learn features, read them out, and measure filters."""
