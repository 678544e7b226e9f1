"""One computation per key at a time, whoever asks: threads, tasks, processes and computers."""
