"""From vectors to candidate lists: exact and Annoy search behind one protocol, the recall gate, filters that return k."""
