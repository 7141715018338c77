/** `nethood`: a personal node. */
import { NethoodError } from "../errors.ts";
import { openGateway, type Run, serveUntilEnd, start } from "./run.ts";

export const runNode: Run = async (settings, around, teller) => {
  if (settings.argument !== undefined) {
    throw new NethoodError("BAD_OPTION", `"${settings.argument}" is one word too many.`, {
      hint: `Did you mean: ${around.run} get ${settings.argument}`,
    });
  }
  await using node = await start(settings, around, teller);
  await using server = await openGateway(node, settings, teller);
  await serveUntilEnd(node, server, around, teller);
};
