"""Many calls of one function: looked up together, computed by whoever is given. See `run`."""
