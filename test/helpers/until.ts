/** How often it is looked, in milliseconds. */
const GLANCE_MS = 5;

/** Waits until something is so; what it is called is told when it never is. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  ms = 20_000,
): Promise<void> {
  for (const end = Date.now() + ms; !await isSo();) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, GLANCE_MS));
  }
}
