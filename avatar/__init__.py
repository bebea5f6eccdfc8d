"""Speech and motion in, synchronised picture and sound out; knows nothing of language models."""
