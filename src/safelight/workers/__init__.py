"""Worker processes: the only ones that parse a stranger's file, and what may pass between them and the program."""
