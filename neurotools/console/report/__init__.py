"""``neurotools report``: a cache as one page that a person likes to look at."""
