"""The story: words and their translations, the text with its films and maps, the gate, and the site the world reads."""
