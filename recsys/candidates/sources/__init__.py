"""Where candidates come from, one file a source or two of a kind; `choice.py` names them all. No torch, no training."""
