/** The client-server web as an agent: nginx with one worker on the seeder; curl, six files at a time, on the readers. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { localhost } from "../../helpers/process.ts";
import { until } from "../../helpers/until.ts";
import { digestOf } from "./content.ts";
import { config, obey, tell } from "./talk.ts";

const PORT = 8080;
/** As many as browsers open to one server. */
const AT_ONCE = "6";

const { role, address, dir, source } = config();
const nginx = role === "seeder" ? await startNginx() : undefined;
tell("ready", { address, ...(nginx ? { paths: await paths() } : {}) });

await obey({
  async go({ seeder }) {
    const out = join(dir, "out");
    const lines = (seeder.paths as string[]).map((path) =>
      `url = "http://${seeder.address}:${PORT}/${path}"\noutput = "${join(out, path)}"\n`
    );
    await mkdir(out);
    await writeFile(join(dir, "curl"), lines.join(""));
    const words = ["--silent", "--show-error", "--fail", "--create-dirs", "--parallel"];
    await localhost.run("curl", [...words, "--parallel-max", AT_ONCE, "-K", join(dir, "curl")]);
    return () => digestOf(out);
  },
  stop: async () => void await nginx?.stop(),
});

async function paths(): Promise<string[]> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(source, join(parentPath, name)));
}

async function startNginx() {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((what) => `${what}_temp_path ${dir}/${what};`).join(" ");
  await writeFile(
    join(dir, "nginx.conf"),
    `
daemon off;
user root;
worker_processes 1;
pid ${dir}/pid;
error_log ${dir}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  ${temporary}
  server { listen ${address}:${PORT}; root ${source}; }
}
`,
  );
  const child = localhost.spawn("nginx", ["-p", dir, "-c", join(dir, "nginx.conf")]);
  await until("nginx answers", () =>
    fetch(`http://${address}:${PORT}/`).then(async (answer) => {
      await answer.bytes();
      return true;
    }, () => false));
  return child;
}
