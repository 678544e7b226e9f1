"""A model of many workers that share a cache."""
