// Which form of a word goes with a number, by the rules of each language.

/** English has two forms, Russian three for whole numbers and one for the rest. */
interface Forms {
  readonly en: { readonly one: string; readonly other: string };
  readonly ru: {
    readonly one: string;
    readonly few: string;
    readonly many: string;
    readonly other: string;
  };
}

const RULES = {
  en: new Intl.PluralRules("en"),
  ru: new Intl.PluralRules("ru"),
} as const;

export function plural<L extends keyof Forms>(
  language: L,
  count: number,
  forms: Forms[L],
): string {
  const all: Partial<Record<Intl.LDMLPluralRule, string>> = forms;
  return all[RULES[language].select(count)] ?? forms.other;
}
