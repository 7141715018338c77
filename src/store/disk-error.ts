/** Errors of the disk, as sentences with a way out. */
import { NethoodError, systemCode } from "../errors.ts";

/** What went wrong on this disk, as a sentence with a way out. */
export function diskError(error: unknown, dir: string): unknown {
  switch (systemCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return new NethoodError("DISK_FULL", `The disk that holds ${dir} is full.`, {
        cause: error,
        hint:
          "Free some space, or start with --dir on another disk; nothing that was stored is lost.",
      });
    case "ENOTDIR":
    case "EEXIST":
      return new NethoodError(
        "DIR_UNWRITABLE",
        `${dir} cannot be a folder: a file is in the way.`,
        {
          cause: error,
          hint: "Move that file away, or choose another folder with --dir.",
        },
      );
    case "EACCES":
    case "EPERM":
    case "EROFS":
    // What Node says of a new folder on a read-only disk.
    case "ENOENT":
      return new NethoodError("DIR_UNWRITABLE", `The folder ${dir} cannot be written.`, {
        cause: error,
        hint: "Give yourself write permission there, or choose another folder with --dir.",
      });
    default:
      return error;
  }
}
