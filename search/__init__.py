"""From stories to answers and alerts."""
