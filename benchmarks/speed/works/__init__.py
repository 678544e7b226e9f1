"""What is measured, each work prepared for one contestant in one process."""
