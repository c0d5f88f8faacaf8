"""What operators watch: whether it is up and ready, and its numbers."""
