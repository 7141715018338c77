/** Controls, and what turns the direction of the text around it: a terminal obeys the ones, a reader is misled by the others. */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/gu;

/**
 * A stranger's words as one line that is safe to show: a path or a name may hold whatever its author likes, such as the
 * escapes that clear a screen or rename its window, or a line break with a sentence of ours behind it.
 */
export function printable(text: string): string {
  return text.replace(OBEYED, "\uFFFD");
}

/** The beginning of a stranger's words, for a sentence that quotes them: there may be kilobytes of them. */
export function excerpt(text: string, length = 200): string {
  const shown = printable(text);
  return shown.length > length ? `${shown.slice(0, length)}…` : shown;
}
