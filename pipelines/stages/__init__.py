"""One thin file a stage: it reads folders, calls a room, writes one folder, and knows no other stage."""
