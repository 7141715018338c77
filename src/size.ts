const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/**
 * Bytes for people.
 *
 * @param point what stands before the decimal. Default: a dot
 */
export function size(bytes: number, point = "."): string {
  let unit = 0;
  for (; bytes >= 1024 && unit < UNITS.length - 1; unit++) bytes /= 1024;
  const shown = unit === 0 ? String(bytes) : bytes.toFixed(1).replace(".", point);
  return `${shown} ${UNITS[unit]}`;
}
