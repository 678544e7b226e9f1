"""What really ran and was read while a result was computed: beyond what can be followed before."""
