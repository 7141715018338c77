/** What `--help` says, from the table of options. */
import { OPTIONS } from "./options/table.ts";

/** Columns of the help: where the explanations begin, and where they end. */
const HELP_AT = 23, HELP_END = 100;

/** The help, from the same table. */
export function helpText(run: string): string {
  const rows = Object.entries(OPTIONS).map(([name, option]) => {
    const flag = `${option.short ? `-${option.short}, ` : ""}--${name}${
      option.value ? ` ${option.value}` : ""
    }`;
    const notes = [
      option.multiple && "may be repeated",
      option.env && `env ${option.env}`,
      option.only && `${list(option.only)} only`,
    ];
    const note = notes.filter(Boolean).join("; ");
    const text = wrap(`${option.help}${note ? ` [${note}]` : ""}`, HELP_END - HELP_AT - 2);
    return `  ${flag.padEnd(HELP_AT)}${text.join(`\n${" ".repeat(HELP_AT + 2)}`)}`;
  });
  return `Nethood: the web, carried by its readers.

Examples
  ${run}                                       your personal node, and its gateway
  ${run} seed ./site --name docs.example.org   publish a folder, and keep serving it
  ${run} site log docs.example.org             what was published, and when
  ${run} seed ./site --name docs.example.org --watch
  ${run} get docs.example.org/manual.pdf -o manual.pdf
  ${run} keep docs.example.org --upload 2M     keep a whole site, and serve it
  ${run} follow docs.example.org --keep 5      keep its last five versions, up to date
  ${run} key export docs.example.org           save the key that publishes the site
  ${run} tracker --listen 0.0.0.0:7070         bring the readers of sites together
  ${run} --peer /ip4/192.168.1.5/tcp/4001/p2p/12D3Koo…

Commands
  (none)        run a node: opens addresses for your browser, keeps what it opened, and shares it
                with neighbours
  seed FOLDER   publish a folder as a site, then run as a node that serves it; with --watch, changes
                in the folder become its next versions
  site log NAME
                the versions of a site, the newest first: number, time, CID, size, note
  site diff NAME 2 3
                the files that version 3 added, changed or removed
  site rollback NAME 2
                publish version 2 again, as the newest one; like the other two, it asks the node
                that runs on the same folder, or does it itself
  keep ADDRESS  fetch everything below an address, pin it, then run as a node that serves it; a
                folder is kept with all that is in it
  follow NAME   keep a whole site, always in its newest version, and give it to others; run as a
                node, or let the one do it that runs on the same folder. It is followed at every
                start, until follow NAME --stop. Without a name: what is followed
  get ADDRESS   fetch one file: http://docs.example.org/a.pdf, /ipfs/<cid>/a.pdf or
                /ipns/<name>/a.pdf; of a folder, its index.html, or with -o all of it
  tracker       tell readers of sites about each other, over HTTP: they announce what they have
  import FILE   take in the blocks of a CAR file (- reads the standard input), every one checked,
                and pin its roots
  key …         the keys of your sites: list; export NAME, to a file or as 24 words; rotate NAME,
                which moves the site to a new key; import NAME FILE (- reads the standard input)

Options
${rows.join("\n")}
`;
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function list(words: string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
