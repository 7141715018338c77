/** `nethood import`: the blocks of a CAR file. */
import { NethoodError } from "../errors.ts";
import { readInput } from "./input.ts";
import { type Run, start } from "./run.ts";

export const importFile: Run = async (settings, around, teller) => {
  const { argument: file } = settings;
  if (file === undefined) {
    throw new NethoodError(
      "BAD_OPTION",
      "import needs a CAR file, or - for the standard input.",
      {
        hint: `For example: ${around.run} import site.car`,
      },
    );
  }
  await using node = await start(settings, around, teller);
  const { signal } = around;
  const chunks = readInput(
    file,
    signal,
    (cause) =>
      new NethoodError("BAD_CAR", `The file ${file} cannot be read.`, {
        cause,
        hint: "Check its name, and that you may read it.",
      }),
  );
  teller.imported(await node.import(chunks, { signal, onProgress: teller.importing }));
};
