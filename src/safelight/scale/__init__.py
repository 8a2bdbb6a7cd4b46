"""Many clips over many processes and machines: what is to do, who does it, what became of it."""
