"""From vectors to the nearest items: exact, Annoy and Faiss behind one protocol, chosen and gated by measured recall.

A query never loses items to a filter: what an index cannot give is searched exactly. Numpy, and torch in exact search.
"""
