"""Locks among the threads and processes of one computer, and who waits for whom."""
