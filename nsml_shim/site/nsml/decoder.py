"""Empty, as in NSML's library: scripts import it and use nothing of it."""
