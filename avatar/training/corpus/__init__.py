"""The training corpus: speech with phone times, and the motion that goes with it (README.md)."""
