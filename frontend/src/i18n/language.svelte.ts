// The language of the page: the browser's until the person chooses, then the chosen one, in every tab.

export const LANGUAGES = ["en", "ru"] as const;

export type Language = (typeof LANGUAGES)[number];

/** Each language's name in itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: "English",
  ru: "Русский",
};

/** How dates and numbers are written: English as in Britain, with the day first and 24 hours, as Russian has it. */
export const LOCALES: Readonly<Record<Language, string>> = {
  en: "en-GB",
  ru: "ru-RU",
};

const KEPT_AS = "gozon-language";

/** The first of the wished languages that the page speaks; English, if it speaks none of them. */
export function firstSpoken(wished: readonly string[]): Language {
  for (const tag of wished) {
    const spoken = LANGUAGES.find((language) => isOf(tag, language));
    if (spoken) return spoken;
  }
  return "en";
}

function isOf(tag: string, language: Language): boolean {
  const lower = tag.toLowerCase();
  return lower === language || lower.startsWith(`${language}-`);
}

class LanguageChoice {
  #current: Language = $state("en");

  get current(): Language {
    return this.#current;
  }

  /** Takes the language from the browser, or from an earlier choice, and follows what other tabs choose. */
  start(): void {
    this.#show(kept() ?? firstSpoken(navigator.languages));
    addEventListener("storage", ({ key }) => {
      if (key === KEPT_AS) this.#show(kept() ?? this.#current);
    });
  }

  choose(language: Language): void {
    this.#show(language);
    try {
      localStorage.setItem(KEPT_AS, language);
    } catch {
      // A browser that keeps nothing: the choice lasts as long as the page.
    }
  }

  #show(language: Language): void {
    this.#current = language;
    document.documentElement.lang = language;
  }
}

function kept(): Language | null {
  try {
    const known = localStorage.getItem(KEPT_AS);
    return LANGUAGES.find((language) => language === known) ?? null;
  } catch {
    return null;
  }
}

export const language = new LanguageChoice();
