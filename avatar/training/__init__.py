"""Corpus, dataset, network, training, evaluation and export: the only place that imports torch."""
