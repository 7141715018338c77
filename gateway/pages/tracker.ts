/** What a tracker shows to people: what it is for, how a site is found through it, and how much it has. */
import { html } from "hono/html";
import type { Language } from "../language.ts";
import { type Html, page, table } from "./page.ts";

export interface TrackerView {
  id: string;
  url: string;
  peers: number;
  seeds: number;
  reads: number;
  records: number;
}

type Words = Record<
  | "title"
  | "what"
  | "now"
  | "peers"
  | "seeds"
  | "reads"
  | "records"
  | "site"
  | "dns"
  | "node"
  | "others"
  | "more"
  | "privacy",
  string
>;

const TEXTS: Record<Language, Words> = {
  en: {
    title: "A Nethood tracker",
    what:
      "It knows who has which site just now, and tells those who want to read it. The pages themselves come from the readers, and each reader checks them: nobody has to trust this tracker.",
    now: "Just now",
    peers: "Peers",
    seeds: "Sites and files that they hold whole",
    reads: "Sites and files that they are fetching",
    records: "Names of sites that are kept",
    site: "For a site of yours",
    dns: "With this record in its DNS, everybody finds its readers through this tracker:",
    node: "Or start a node with it:",
    others: "Kubo, Helia and others use it as a Delegated Routing V1 endpoint, under the same URL.",
    more: "For programs",
    privacy:
      "Who asks is not written down. Who announces is told to those who ask for the same site, and forgotten half an hour after its last word.",
  },
  de: {
    title: "Ein Nethood-Tracker",
    what:
      "Er weiß, wer gerade welche Seite hat, und sagt es denen, die sie lesen wollen. Die Seiten selbst kommen von den Lesenden, und jeder prüft sie: Diesem Tracker muss niemand trauen.",
    now: "Im Augenblick",
    peers: "Teilnehmer",
    seeds: "Seiten und Dateien, die sie ganz haben",
    reads: "Seiten und Dateien, die sie gerade holen",
    records: "Namen von Seiten, die hier liegen",
    site: "Für eine eigene Seite",
    dns: "Mit diesem Eintrag in ihrem DNS finden alle ihre Leser über diesen Tracker:",
    node: "Oder einen Knoten damit starten:",
    others:
      "Kubo, Helia und andere verwenden ihn unter derselben URL als Endpunkt für Delegated Routing V1.",
    more: "Für Programme",
    privacy:
      "Wer fragt, wird nicht aufgeschrieben. Wer sich meldet, wird denen genannt, die nach derselben Seite fragen, und eine halbe Stunde nach seiner letzten Meldung vergessen.",
  },
};

export function trackerPage(view: TrackerView, language: Language): Html {
  const text = TEXTS[language];
  const count = (n: number) => n.toLocaleString(language);
  const { id, url, peers, seeds, reads, records } = view;
  return page(
    text.title,
    html`
      <h1>${text.title}</h1>
      <p>${text.what}</p>
      <h2>${text.now}</h2>
      ${table(["", ""], [
        [text.peers, count(peers)],
        [text.seeds, count(seeds)],
        [text.reads, count(reads)],
        [text.records, count(records)],
      ])}
      <h2>${text.site}</h2>
      <p>${text.dns}</p>
      <p
        class="asked"><code translate="no">_nethood.docs.example.org. TXT "tracker=${url}"</code></p>
      <p>${text.node}</p>
      <p class="asked"><code translate="no">node.ts --tracker ${url}</code></p>
      <p>${text.others}</p>
      <h2>${text.more}</h2>
      <ul>
        <li><a href="/stats.json">/stats.json</a></li>
        <li><a href="/metrics">/metrics</a></li>
        <li><a href="/tracker/v1">/tracker/v1</a></li>
      </ul>
      <p>${text.privacy}</p>
      <p class="quiet">Peer ID <code translate="no">${id}</code></p>
    `,
    language,
  );
}
