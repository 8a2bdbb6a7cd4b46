"""The desk: one page where a person sees all that will be hidden, mends it and signs. Edits nothing but plans."""
