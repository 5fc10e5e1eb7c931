"""The console command `recsys`, a file a group of commands."""
