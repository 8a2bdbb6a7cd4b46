"""Things to try Safelight with: a short clip made from free pictures, and the demonstration."""
