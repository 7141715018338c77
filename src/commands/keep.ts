/** `nethood keep`: everything below an address is fetched, and served. */
import { NethoodError } from "../errors.ts";
import { openGateway, type Run, serveUntilEnd, start } from "./run.ts";

export const keep: Run = async (settings, around, teller) => {
  const { argument: address } = settings;
  if (address === undefined) {
    throw new NethoodError("BAD_OPTION", "keep needs an address.", {
      hint: `For example: ${around.run} keep docs.example.org`,
    });
  }
  const { parseAddress } = await import("../content/address.ts");
  const parsed = parseAddress(address);
  await using node = await start(settings, around, teller);
  await using server = await openGateway(node, settings, teller);
  const onProgress = teller.keeping("keep");
  teller.kept(await node.keep(parsed, { signal: around.signal, onProgress }), address);
  await serveUntilEnd(node, server, around, teller);
};
