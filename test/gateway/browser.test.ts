/** What sites do in a browser, and what they need of a gateway for it: workers that serve them offline, films to seek in. */
import { Buffer } from "node:buffer";
import * as assert from "uvu/assert";
import type { Page } from "playwright-core";
import { serve } from "../../gateway/serve.ts";
import { browserAvailable, createBrowser } from "../helpers/browser.ts";
import { createSite, type Site } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";
import { createWebm } from "../helpers/webm.ts";

const WORKER = `
addEventListener("install", (event) => event.waitUntil(
  caches.open("site").then((cache) => cache.addAll(["/", "/page.txt"])).then(() => skipWaiting())
));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(
  caches.match(event.request).then((found) => found ?? fetch(event.request))
));`;

const APP = `<!doctype html><link rel=icon href="data:,"><title>app</title><script>
const { serviceWorker } = navigator;
const control = new Promise((resolve) => serviceWorker.oncontrollerchange = resolve);
globalThis.controlled = serviceWorker.register("/worker.js")
  .then(() => serviceWorker.controller ? undefined : control);
// What the browser itself kept would prove nothing.
globalThis.text = (path) => fetch(path, { cache: "no-store" }).then((response) => response.text(), () => "unreachable");
</script>`;

const WIDTH = 640, HEIGHT = 480, FRAMES = 40, INTERVAL_MS = 250;

/** The pictures are shown so often: a film that is smaller than what a browser loads ahead would not be jumped in. */
const TIMES = 6;

/** The number of a picture is in it, a black or white stripe for each bit. */
const BITS = 6, STRIPE = HEIGHT / BITS;

/** Beside its number, a picture has noise, which makes it large. */
const RECORD = `(async () => {
  const canvas = new OffscreenCanvas(${WIDTH}, ${HEIGHT});
  const context = canvas.getContext("2d");
  const frames = [];
  const encoder = new VideoEncoder({
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      frames.push(bytes.toBase64?.() ?? btoa(bytes.reduce((all, byte) => all + String.fromCharCode(byte), "")));
    },
    error(error) { throw error; },
  });
  encoder.configure({ codec: "vp8", width: ${WIDTH}, height: ${HEIGHT}, bitrate: 2e7, framerate: 4 });
  const noise = new ImageData(${WIDTH / 2}, ${HEIGHT});
  for (let i = 0; i < ${FRAMES}; i++) {
    for (let at = 0; at < noise.data.length; at += 65536) {
      crypto.getRandomValues(noise.data.subarray(at, at + 65536));
    }
    for (let bit = 0; bit < ${BITS}; bit++) {
      context.fillStyle = i >> bit & 1 ? "white" : "black";
      context.fillRect(0, bit * ${STRIPE}, ${WIDTH}, ${STRIPE});
    }
    context.putImageData(noise, 0, 0);
    const frame = new VideoFrame(canvas, { timestamp: i * ${INTERVAL_MS * 1000} });
    encoder.encode(frame, { keyFrame: true });
    frame.close();
  }
  await encoder.flush();
  return frames;
})()`;

const CINEMA = `<!doctype html><link rel=icon href="data:,"><title>cinema</title>
<video src="film.webm" preload="metadata" muted></video><script>
const video = document.querySelector("video");
const once = (name) => new Promise((resolve, reject) => {
  video.addEventListener(name, resolve, { once: true });
  video.addEventListener("error", () => reject(new Error(video.error.message)), { once: true });
});
const ready = video.readyState > 0 ? Promise.resolve() : once("loadedmetadata");
globalThis.duration = () => ready.then(() => video.duration);
/** Which picture is shown at a time. */
globalThis.seek = async (time) => {
  const sought = once("seeked");
  video.currentTime = time;
  await sought;
  const canvas = new OffscreenCanvas(${WIDTH}, ${HEIGHT});
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  let picture = 0;
  for (let bit = 0; bit < ${BITS}; bit++) {
    const [red] = context.getImageData(${WIDTH - 40}, (bit + 0.5) * ${STRIPE}, 1, 1).data;
    if (red > 127) picture += 1 << bit;
  }
  return { time: video.currentTime, picture };
};
</script>`;

suite("gateway: sites in a browser", (test, left) => {
  const missing = browserAvailable();
  const titles = ["a worker serves its site offline", "a film is sought in by ranges"];
  if (missing) return titles.forEach((title) => left(title, missing));

  test(titles[0]!, async () => {
    await using site = await createSite({
      "index.html": APP,
      "worker.js": WORKER,
      "page.txt": "kept",
      "other.txt": "not kept",
    });
    const { fetch, seen } = watched(site);
    await using browser = await createBrowser();
    let page: Page;
    {
      await using server = await serve({ fetch }, { port: 0 });
      const { port } = new URL(server.url);
      ({ page } = await browser.openPage(`http://docs-example-org.ipns.localhost:${port}/`));
      await page.evaluate("controlled");
      assert.is(await page.evaluate("text('/other.txt')"), "not kept");
    }
    const script = seen.find(({ url }) => url.endsWith("/worker.js"))!;
    assert.is(script.headers.get("Service-Worker"), "script");
    assert.is(script.status, 200);

    await page.reload();
    assert.is(await page.title(), "app");
    assert.is(await page.evaluate("text('/page.txt')"), "kept");
    assert.is(await page.evaluate("text('/other.txt')"), "unreachable", "the node is gone");
  });

  test(titles[1]!, async () => {
    await using browser = await createBrowser();
    await using studio = await createSite({ "index.html": "<link rel=icon href='data:,'>" });
    await using place = await serve(studio.app, { port: 0 });
    const { page: recorder } = await browser.openPage(
      `http://docs-example-org.ipns.localhost:${new URL(place.url).port}/`,
    );
    const recorded = await recorder.evaluate(RECORD) as string[];
    const frames = recorded.map((frame) => Buffer.from(frame, "base64"));
    const film = createWebm({
      width: WIDTH,
      height: HEIGHT,
      interval: INTERVAL_MS,
      frames: Array.from({ length: TIMES }, () => frames).flat(),
    });

    await using site = await createSite({ "index.html": CINEMA, "film.webm": film });
    const { fetch, seen } = watched(site);
    await using server = await serve({ fetch }, { port: 0 });
    const { port } = new URL(server.url);
    const { page } = await browser.openPage(`http://docs-example-org.ipns.localhost:${port}/`);
    assert.is(await page.evaluate("duration()"), TIMES * FRAMES * INTERVAL_MS / 1000);
    for (const time of [55.1, 0.6, 38.4]) {
      const picture = Math.floor(time * 1000 / INTERVAL_MS) % FRAMES;
      assert.equal(await page.evaluate(`seek(${time})`), { time, picture });
    }
    const parts = seen.filter(({ url }) => url.endsWith("/film.webm"));
    assert.ok(parts.every(({ status }) => status === 206));
    const starts = parts.map(({ headers }) =>
      Number(/^bytes=(\d+)-/.exec(headers.get("Range")!)![1])
    );
    assert.ok(
      starts.some((start) => start > film.byteLength / 2),
      `it did not jump: ${starts} of ${film.byteLength}`,
    );
  });
});

interface Seen {
  url: string;
  headers: Headers;
  status: number;
}

/** The site's gateway, and what it is asked. */
function watched(site: Site) {
  const seen: Seen[] = [];
  const fetch = async (request: Request, env?: object) => {
    const { url } = request;
    const headers = new Headers(request.headers);
    const response = await site.app.fetch(request, env);
    seen.push({ url, headers, status: response.status });
    return response;
  };
  return { fetch, seen };
}
