"""The few words a page says itself, by language. A language that is not here gets the English ones."""

from __future__ import annotations

import datetime

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "ps", "ckb", "sd", "ug", "yi"})

PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "draft": "Draft. Not checked, not approved, not for publication.",
        "skip": "To the text",
        "comma": ",",
        "by": "By",
        "translated": "Translated by",
        "published": "Published",
        "corrected": "Corrected",
        "languages": "This story in other languages",
        "editions": "How this page is shown",
        "full": "Everything",
        "light": "Little data",
        "text": "Text only",
        "edition_note": "Your choice is kept in the address of the page, not on your device.",
        "warning": "Warning",
        "show": "show it anyway",
        "film": "Film",
        "get_film": "Get the film",
        "transcript": "What is said, in writing",
        "time": "Time",
        "speaker": "Who",
        "picture": "Picture",
        "credit": "Picture:",
        "next": "Next picture",
        "previous": "Previous picture",
        "gallery": "Pictures",
        "map": "Map",
        "map_text": "The map in words",
        "map_key": "What the marks mean",
        "area": "Area",
        "place": "Place",
        "route": "Route",
        "held": "held",
        "lost": "lost",
        "contested": "contested",
        "blurred": "Positions are coarsened to",
        "metres": "metres",
        "note": "Note",
        "corrections": "Corrections",
        "statement": "How this story was made",
        "feed": "News feed (RSS)",
        "signed": "Films and stills carry content credentials, signed by the desk.",
        "machine": "machine-made, not confirmed",
        "stale": "translation out of date",
        "untranslated": "not translated",
        "unconfirmed": "not confirmed",
    },
    "sv": {
        "draft": "Utkast. Inte granskat, inte godkänt, inte för publicering.",
        "skip": "Till texten",
        "comma": ",",
        "by": "Av",
        "translated": "Översättning:",
        "published": "Publicerad",
        "corrected": "Rättad",
        "languages": "Berättelsen på andra språk",
        "editions": "Så visas sidan",
        "full": "Allt",
        "light": "Lite data",
        "text": "Bara text",
        "edition_note": "Valet sparas i sidans adress, inte på din enhet.",
        "warning": "Varning",
        "show": "visa ändå",
        "film": "Film",
        "get_film": "Hämta filmen",
        "transcript": "Det som sägs, i skrift",
        "time": "Tid",
        "speaker": "Vem",
        "picture": "Bild",
        "credit": "Bild:",
        "next": "Nästa bild",
        "previous": "Föregående bild",
        "gallery": "Bilder",
        "map": "Karta",
        "map_text": "Kartan i ord",
        "map_key": "Vad tecknen betyder",
        "area": "Område",
        "place": "Plats",
        "route": "Väg",
        "held": "hållet",
        "lost": "förlorat",
        "contested": "omstritt",
        "blurred": "Lägena är avrundade till",
        "metres": "meter",
        "note": "Anmärkning",
        "corrections": "Rättelser",
        "statement": "Så gjordes berättelsen",
        "feed": "Nyhetsflöde (RSS)",
        "signed": "Filmer och stillbilder bär redaktionens signerade ursprungsuppgifter.",
        "machine": "gjort av en maskin, inte bekräftat",
        "stale": "översättningen är inaktuell",
        "untranslated": "inte översatt",
        "unconfirmed": "inte bekräftat",
    },
    "ar": {
        "draft": "مسودة: لم تراجع ولم تعتمد وليست للنشر.",
        "skip": "إلى النص",
        "comma": "،",
        "by": "بقلم",
        "translated": "ترجمة",
        "published": "نشرت في",
        "corrected": "صححت في",
        "languages": "هذه القصة بلغات أخرى",
        "editions": "طريقة عرض الصفحة",
        "full": "كل شيء",
        "light": "بيانات قليلة",
        "text": "نص فقط",
        "edition_note": "يحفظ اختيارك في عنوان الصفحة لا في جهازك.",
        "warning": "تحذير",
        "show": "اعرضه مع ذلك",
        "film": "فيلم",
        "get_film": "تنزيل الفيلم",
        "transcript": "ما يقال، مكتوبا",
        "time": "الوقت",
        "speaker": "المتحدث",
        "picture": "صورة",
        "credit": "الصورة:",
        "next": "الصورة التالية",
        "previous": "الصورة السابقة",
        "gallery": "صور",
        "map": "خريطة",
        "map_text": "الخريطة بالكلمات",
        "map_key": "مفتاح الخريطة",
        "area": "منطقة",
        "place": "مكان",
        "route": "طريق",
        "held": "تحت السيطرة",
        "lost": "مفقودة",
        "contested": "متنازع عليها",
        "blurred": "المواقع مقربة إلى",
        "metres": "متر",
        "note": "ملاحظة",
        "corrections": "تصحيحات",
        "statement": "كيف أعدت هذه القصة",
        "feed": "خلاصة الأخبار (RSS)",
        "signed": "تحمل الأفلام والصور بيانات منشأ موقعة من هيئة التحرير.",
        "machine": "من صنع آلة ولم يؤكد",
        "stale": "الترجمة قديمة",
        "untranslated": "غير مترجم",
        "unconfirmed": "غير مؤكد",
    },
}


def phrases(language: str) -> dict[str, str]:
    """The page's own words."""
    return PHRASES.get(language.split("-")[0], PHRASES["en"])


def direction(language: str) -> str:
    """``rtl`` or ``ltr``."""
    return "rtl" if language.split("-")[0] in _RIGHT_TO_LEFT else "ltr"


def language_name(language: str) -> str:
    """A language's name in itself."""
    try:
        return (Locale.parse(language, sep="-").get_display_name(language.replace("-", "_")) or language).capitalize()
    except (UnknownLocaleError, ValueError):
        return language


def long_date(date: str, language: str) -> str:
    """A date of the form YYYY-MM-DD as people of the language write it."""
    day = datetime.date.fromisoformat(date)
    try:
        return format_date(day, "long", locale=language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return date
