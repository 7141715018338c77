/** A file's bytes as a response body, which is read no faster than the client takes it. */

export interface BodyOptions {
  /** Aborted when the client leaves, so that a read that is under way ends too. */
  client: AbortController;
  /** Whether a body that fails ends, short of its `Content-Length`, rather than errors. */
  endEarly: boolean;
  /** Cuts the connection, which says the same of a body that has no length. */
  cut?: (() => void) | undefined;
  onFailure: (error: unknown) => void;
}

/** @param first the bytes that were read already */
export function createBody(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
  { client, endEarly, cut, onFailure }: BodyOptions,
): ReadableStream<Uint8Array> {
  let next: Uint8Array | undefined = first;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = next ?? (await rest.next()).value;
        next = undefined;
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      } catch (error) {
        onFailure(error);
        // Either way the client sees that it has not all of it.
        cut?.();
        if (!endEarly && !cut) throw error;
        if (!client.signal.aborted) controller.close();
      }
    },
    async cancel() {
      client.abort(new DOMException("The client has left.", "AbortError"));
      await rest.return(undefined);
    },
  });
}

/** From here on it costs more to copy bytes than to set up a stream of them. */
const COPIED_BYTES = 64 * 1024;

/** Bytes as a body: a Response copies what it is given in one piece, but passes on what a stream gives it. */
export function inOnePiece(bytes: Uint8Array | null): BodyInit | null {
  if (bytes === null || bytes.byteLength < COPIED_BYTES) return bytes as BodyInit | null;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
