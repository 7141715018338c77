/**
 * A reader's browser: Debian's Chromium, headless and with a fresh profile, driven by playwright-core over a pipe.
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { createFolder } from "./folder.ts";
import { type Host, localhost } from "./process.ts";

const CHROMIUM = "/usr/bin/chromium";
/** Longest wait for a page to load with all its parts, in milliseconds. */
const PAGE_MS = 30_000;
/** Quiet, so that every request seen is one that the page made. */
const FLAGS = [
  "--no-sandbox", // the tests that need namespaces run as root, and Chromium's sandbox does not
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface BrowserOptions {
  /** Where it runs. Default: this machine. */
  host?: Host;
  /** URL of an HTTP proxy for everything it asks. Default: none. */
  proxy?: string;
  /** The language of whoever reads, such as `de-CH`. Default: the browser's own. */
  language?: string;
}

/** A page and everything that went wrong while it and those reached from it were loaded. */
export interface OpenPage {
  readonly page: Page;
  /** HTTP status of the address that was opened. */
  readonly status: number;
  /** Failed requests, responses with a status of 400 or more, errors on the console; filled as they come. */
  readonly trouble: readonly string[];
  /** URLs of all responses so far. */
  readonly loaded: readonly string[];
}

export interface Browser extends AsyncDisposable {
  openPage(url: string): Promise<OpenPage>;
  close(): Promise<void>;
}

/** Why there is no browser here, or `undefined` if there is one. */
export function browserAvailable(): string | undefined {
  if (!existsSync(CHROMIUM)) return "there is no /usr/bin/chromium (Debian package chromium)";
}

/** Starts a browser inside a host. */
export async function createBrowser(
  { host = localhost, proxy, language }: BrowserOptions = {},
): Promise<Browser> {
  const folder = await createFolder();
  const dir = folder.path;
  try {
    // `exec` keeps the process and with it the two pipes that the driver speaks through
    const launcher = join(dir, "chromium");
    const [program, ...args] = host.command(CHROMIUM);
    await writeFile(launcher, `#!/bin/sh\nexec ${[program, ...args].join(" ")} "$@"\n`, {
      mode: 0o755,
    });
    const context = await chromium.launchPersistentContext(join(dir, "profile"), {
      executablePath: launcher,
      headless: true,
      args: FLAGS,
      ...(proxy === undefined ? {} : { proxy: { server: proxy } }),
      ...(language === undefined ? {} : { locale: language }),
    });
    context.setDefaultTimeout(PAGE_MS);
    const close = async () => {
      await context.close();
      await folder[Symbol.asyncDispose]();
    };
    return {
      openPage: async (url) => open(await context.newPage(), url),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

async function open(page: Page, url: string): Promise<OpenPage> {
  const trouble: string[] = [];
  const loaded: string[] = [];
  page.on("requestfailed", (request) => {
    trouble.push(`failed: ${request.url()} (${request.failure()?.errorText})`);
  });
  page.on("response", (response) => {
    loaded.push(response.url());
    if (response.status() >= 400) trouble.push(`${response.status()}: ${response.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error") trouble.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => trouble.push(`script: ${error.message}`));
  const response = await page.goto(url, { waitUntil: "networkidle" });
  return { page, status: response?.status() ?? 0, trouble, loaded };
}
