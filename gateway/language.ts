/** In which language a page of ours speaks (RFC 9110, section 12.5.4). */

const LANGUAGES = ["en", "de"] as const;

export type Language = typeof LANGUAGES[number];

/** The language that the reader likes best of those there are: English where none is named. */
export function languageOf(accepted: string | null | undefined): Language {
  let best: Language = "en", bestWeight = 0;
  for (const range of accepted?.split(",") ?? []) {
    const [tag = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    // `de-CH` is German too.
    const language = LANGUAGES.find((known) => known === tag.split("-")[0]);
    const weight = Number(parameters.find((p) => p.startsWith("q="))?.slice(2) ?? 1);
    if (language !== undefined && weight > bestWeight) [best, bestWeight] = [language, weight];
  }
  return best;
}
