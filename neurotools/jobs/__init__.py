"""The doors: what a program imports. `cache` memoizes functions."""
