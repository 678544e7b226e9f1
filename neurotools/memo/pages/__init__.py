"""What notebooks show: self-contained pieces of HTML, put together from what `parts` has."""
