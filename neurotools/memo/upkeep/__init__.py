"""Caches as a whole: what is in them, what is wrong, what may go, and copies of them."""
