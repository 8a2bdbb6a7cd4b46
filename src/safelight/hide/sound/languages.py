"""Languages in which cues can be spoken; apart, so that the command line can name them without loading the engine."""

# Language of a text: voice of the engine, and the scripts it can read beside Latin.
LANGUAGES: dict[str, tuple[str, frozenset[str]]] = {
    "ar": ("ar", frozenset({"ARABIC"})),
    "de": ("de", frozenset()),
    "en": ("en-us", frozenset()),
    "fa": ("fa", frozenset({"ARABIC"})),
    "fr": ("fr", frozenset()),
    "ku": ("ku", frozenset()),
    "sv": ("sv", frozenset()),
    "tr": ("tr", frozenset()),
}
