"""From vectors to candidate lists: exact, Annoy and Faiss search behind one protocol, the recall gate, filters that return k.

A query never loses items to a filter: what an index cannot give is searched exactly. `candidate_search.py` is all that decides
a user's list; stage, actors, service and audit share it.
"""
