from __future__ import annotations

import pytest
from benchmarks.names import entered, level, sentence, spellings
from hypothesis import example, given, settings
from hypothesis import strategies as st

from safelight.names.align import distance
from safelight.names.fold import fold, words
from safelight.names.match import Level, Matcher
from safelight.names.people import Fact, Kind, Person
from safelight.names.sounds import sounds

WOMAN = Person(
    id="w",
    pseudonym="Om Mohammad",
    names=["خديجة الهاشمي", "Khadija al-Hashimi", "Dudu"],
    facts=[
        Fact(kind=Kind.STREET, value="Mill Street 4"),
        Fact(kind=Kind.DATE, value="1987-03-12"),
        Fact(kind=Kind.NUMBER, value="0933 417 562"),
        Fact(kind=Kind.KIN, value="Yazan al-Hashimi"),
    ],
)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher([WOMAN])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("We met Khadija al-Hashimi.", "name"),
        ("We met KHADIJA AL HASHIMI.", "name"),
        ("we met khadija alhashimi", "name"),
        ("Khadīja al-Hāshimī's brother", "name"),
        ("Kha\u200bdija al-Hash\u202eimi", "name"),
        ("KhadijaAlHashimi", "name"),
        ("𝕶𝖍𝖆𝖉𝖎𝖏𝖆 al-Ｈａｓｈｉｍｉ", "name"),
        ("ومعها خديجة الهاشمي", "name"),
        ("وخديجه هاشمي", "name"),
        ("خَدِيجَة الهاشِمِي", "name"),
        ("They call her Dudu.", "name"),
        ("in Mill Street 4", "street"),
        ("born on 12 March 1987", "date"),
        ("born on March 12, 1987", "date"),
        ("född den 12 mars 1987", "date"),
        ("١٢ آذار ١٩٨٧", "date"),
        ("1987-03-12", "date"),
        ("12.3.87", "date"),
        ("IMG_19870312.jpg", "date"),
        ("call 0933417562 now", "number"),
        ("٠٩٣٣٤١٧٥٦٢", "number"),
        ("her son Yazan al-Hashimi", "kin"),
    ],
)
def test_what_is_certain_blocks(matcher: Matcher, text: str, kind: str):
    assert [(m.kind, m.level) for m in matcher.matches(text)][:1] == [(kind, Level.BLOCK)]


@pytest.mark.parametrize(
    "text",
    [
        "Khadija al-Haschmi",
        "Chadidscha el-Haschimi",
        "Mrs Hashimi said",
        "on 12 March",
        "Khadija al-Hashim",
        "in Mill Street 5",
    ],
)
def test_what_is_near_is_put_before_a_person(matcher: Matcher, text: str):
    assert matcher.matches(text)


@pytest.mark.parametrize(
    "text",
    ["The ship came at noon.", "Khadija Mansour baked bread", "on Harbour Road 4", "13 March 1987", "0933 417 563"],
)
def test_others_are_left_alone(matcher: Matcher, text: str):
    assert not matcher.matches(text)


def test_places_are_those_of_the_text(matcher: Matcher):
    text = "é ‏ ومعها خديجة الهاشمي ثم Dudu"
    assert [text[m.start : m.end] for m in matcher.matches(text)] == ["خديجة الهاشمي", "Dudu"]


def test_a_lower_case_nickname_that_is_a_word_is_only_looked_at(matcher: Matcher):
    assert [m.level for m in matcher.matches("the dudu bird")] == [Level.LOOK]
    assert [m.level for m in matcher.matches("dudu_1.jpg", caseless=True)] == [Level.BLOCK]


@pytest.mark.parametrize(
    ("names", "text", "most"),
    [
        (["سامي", "Sami"], "Sam I am", Level.LOOK),
        (["نور", "Noor"], "No. Or else", Level.LOOK),
        (["إيمان", "Iman"], "والإيمان بالله", Level.LOOK),
        (["Lina Said", "لينا سعيد"], "Lina said that the bread was gone.", Level.LOOK),
        (["Amal Nasser", "أمل ناصر"], "Jamal Nasser", Level.LOOK),
        (["ثريا الضاهر", "Thoraya Aldaher"], "Carter", Level.LOOK),
        (["رقية الموسوي", "Ruqayya al-Musawi"], "Roger Mace and Ricky Smith", Level.LOOK),
        (["دعاء السامرائي", "Doaa al-Samarrai"], "Denise Moore", None),
        (["ژاله وزیری", "Jaleh Vaziri"], "Gülhisar", Level.LOOK),
    ],
)
def test_words_of_others_are_not_blocked(names: list[str], text: str, most: Level | None):
    found = Matcher([Person(id="p", pseudonym="X", names=names)]).matches(text)
    assert max((m.level for m in found), default=None) in (None, most)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["Ђорђе Живковић"], "Djordje Zivkovic"),
        (["Đorđe Živković"], "Djordjé Jivkovitch"),
        (["عبد الحميد الشريف"], "قال عبدالحميد الشريف"),
        (["بدر الدين حسون"], "بدرالدين حسون"),
        (["Jihad al-Zoubi"], "Джихад аз-Зуби"),
        (["Ertuğrul Beşikçi"], "أرطغرل بشيكجي"),
    ],
)
def test_letters_and_habits_of_other_languages(names: list[str], text: str):
    assert Matcher([Person(id="p", pseudonym="X", names=names)]).matches(text)


@pytest.mark.parametrize("half", ["seen", "unseen", "fresh"])
def test_spellings_of_the_standards_are_found(half: str):
    found = total = 0
    for name, others in spellings(half).items():
        names = entered(name, others, "both")
        matcher = Matcher([Person(id="p", pseudonym="X", names=names)])
        for _, spelling in others:
            if spelling not in names:
                total += 1
                found += level(matcher, sentence(spelling)) > 0
    assert total > 150
    assert found / total >= 0.95


@given(st.text(max_size=60))
@example("𝕬")
@settings(deadline=None)
def test_any_text_can_be_folded_and_sounded(text: str):
    assert fold(fold(text)) == fold(text)
    for word in words(text):
        assert text[word.start : word.end] == word.text
        row = sounds(word.text)
        assert distance(row, row, unvowelled=False) == 0
