"""What turns a history into vectors, one file an encoder with its settings; `choice.py` names them all.

Imports the parts of the models room that encoders share. An encoder sees positions up to its own only.
"""
