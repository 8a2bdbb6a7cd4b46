// Every sentence of the page in every language of the page.
import { computed, signal } from "@preact/signals";

import { ar } from "./words/ar";
import { en } from "./words/en";
import type { Word } from "./words/en";
import { sv } from "./words/sv";

export type { Word } from "./words/en";

export const LANGUAGES = { en: "English", sv: "Svenska", ar: "العربية" } as const;
export type Language = keyof typeof LANGUAGES;
const TABLES: Record<Language, Record<Word, string>> = { en, sv, ar };

function preferred(): Language {
  const kept = localStorage.getItem("language");
  const first = kept ?? navigator.language.slice(0, 2);
  return first in TABLES ? (first as Language) : "en";
}

export const language = signal<Language>(preferred());
export const direction = computed(() => (language.value === "ar" ? "rtl" : "ltr"));

export function speak(chosen: Language): void {
  language.value = chosen;
  localStorage.setItem("language", chosen);
}

/** A sentence in the chosen language; {0}, {1} are filled in. What the server may name and nobody has words for stays. */
export function t(word: Word, ...values: (string | number)[]): string {
  const sentence: string | undefined = TABLES[language.value][word];
  return (sentence ?? word).replace(/\{(\d)\}/g, (_, n) => String(values[Number(n)] ?? ""));
}

/** A word that the server chose; shown as it is where the page does not know it. */
export function told(word: string): string {
  return word in en ? t(word as Word) : word;
}
