"""A story's sealed home: originals, plans and reports encrypted, every act in a log that cannot be rewritten unseen.

The format is written down in docs/custody.md; all of it opens with `age`, `sha256sum` and `openssl`.
"""
