/** A moment to the minute, as every reader on earth reads it. What a stranger says may be no date that a calendar has. */
export function utc(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "no date of the calendar";
  return `${date.toISOString().slice(0, -8).replace("T", " ")} UTC`;
}
