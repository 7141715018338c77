/** What a browser does with an answer, and under which name it is saved (RFC 6266). */

/**
 * @param query `filename=` names it, `download=true` has it saved and not shown (path-gateway specification)
 * @param usual what happens where the query does not say
 */
export function disposition(
  query: URLSearchParams,
  usual: { kind: "inline" | "attachment"; filename?: string },
): string | undefined {
  const download = query.get("download") === "true";
  const filename = query.get("filename") || usual.filename;
  const kind = download ? "attachment" : usual.kind;
  if (filename !== undefined) return `${kind}; ${parameters(filename.toWellFormed())}`;
  return kind === "attachment" ? kind : undefined;
}

/** The name for every client, and where ASCII cannot spell it the real one for those that know RFC 8187. */
function parameters(filename: string): string {
  const ascii = filename.replace(/[^\x20-\x7e]|["\\]/gu, "_");
  const plain = `filename="${ascii}"`;
  return ascii === filename ? plain : `${plain}; filename*=UTF-8''${extended(filename)}`;
}

function extended(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
