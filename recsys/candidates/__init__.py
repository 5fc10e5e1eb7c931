"""From an index to candidate lists: sources, fusion, caps, rules, what was seen, and the batch job with its parts and sets.

`candidate_search.py` is all that decides a user's list; stage, actors and service share it.
"""
