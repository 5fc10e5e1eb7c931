"""What the model has to beat, each one file, each giving the same candidate table as the model.

No torch here.
"""
