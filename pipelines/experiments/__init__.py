"""Searches and studies over many trainings, each kept so that it can be interrupted."""
