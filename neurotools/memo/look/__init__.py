"""A cache as a person looks at it: bounded in time, opening nothing that could run."""
