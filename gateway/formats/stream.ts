/** An answer of unknown length. One that fails is cut off: it must not look whole. */
import { createBody } from "../body.ts";
import type { ServerTraits } from "../file.ts";
import { isAbort } from "../../src/abort.ts";
import type { Ask } from "./format.ts";

export async function streamResponse(
  { c, address, client, log }: Ask,
  source: AsyncGenerator<Uint8Array>,
  headers: Headers,
): Promise<Response> {
  headers.set("Accept-Ranges", "none");
  // The first bytes are awaited, so that what is known to fail becomes an honest status.
  const first = (await source.next()).value ?? new Uint8Array();
  if (c.req.method === "HEAD") {
    await source.return(undefined);
    return new Response(null, { headers });
  }
  const body = createBody(first, source, {
    client,
    endEarly: false,
    cut: (c.env as ServerTraits | undefined)?.cut,
    onFailure(error) {
      if (isAbort(error, client.signal)) return;
      const why = error instanceof Error ? error.message : String(error);
      log(`/${address.namespace}/${address.root} was cut off in the middle: ${why}`);
    },
  });
  return new Response(body, { headers });
}
