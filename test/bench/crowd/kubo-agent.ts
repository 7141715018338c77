/** Kubo as an agent, every node connected to every other. Options: `chunk`, in bytes, for seeding; `unchecked`, for one file. */
import { join } from "node:path";
import { createKubo, kuboBinary } from "../../helpers/kubo.ts";
import { createHost } from "../../helpers/process.ts";
import { digestOf } from "./content.ts";
import { config, obey, tell } from "./talk.ts";

const { role, address, dir, source, before, report, options } = config();
const here = createHost("here", address);
const repository = join(dir, "repository");
const kubo = await createKubo({ dir: repository, host: here });
tell("ready", {
  address,
  multiaddr: kubo.addresses[0],
  ...(role === "seeder" ? await seed() : {}),
});

await obey({
  async meet(everyone) {
    const others = everyone.filter(({ address }) => before.includes(address));
    for (const { multiaddr } of others) await kubo.ipfs(["swarm", "connect", String(multiaddr)]);
  },
  async go({ seeder }) {
    if (options.unchecked) {
      const read = '"$0" cat "$1/file.bin" | wc -c';
      const words = ["-c", read, await kuboBinary(), String(seeder.root)];
      const bytes = await here.run("sh", words, { env: { IPFS_PATH: repository } });
      return () => bytes.trim();
    }
    const out = join(dir, "out");
    await kubo.ipfs(["get", "--progress=false", "--output", out, String(seeder.root)]);
    return () => digestOf(out);
  },
  stop: () => kubo.stop(),
});

async function seed(): Promise<object> {
  const words = ["--recursive", "--quieter", "--progress=false", "--cid-version=1", "--raw-leaves"];
  const chunker = `--chunker=size-${options.chunk ?? 262_144}`;
  const cid = (await kubo.ipfs(["add", ...words, chunker, source])).trim();
  if (report) throw new Error("This agent of Kubo's cannot tell what its readers have");
  return { root: `/ipfs/${cid}` };
}
