"""What a person types: the ``neurotools`` command."""
