// A column of one of our own small programs against a peer's library: compiled with the root's compiler, run inside it.
import { fileURLToPath } from "node:url";

const path = (file) => fileURLToPath(new URL(`../peers/${file}`, import.meta.url));

/**
 * @typedef {object} PeerProgram
 * @property {string} id how goals name the column
 * @property {"debian12" | "newest"} suite
 * @property {"c" | "go"} language
 * @property {string} program `x`: peers/c/x.c, peers/go/x
 * @property {readonly string[]} [args]
 *
 * @param {import("./bench.js").Bench} bench @param {PeerProgram} peer
 * @param {(command: string, args: readonly string[], env: Record<string, string>) => unknown} run one run of it
 */
export function peerColumn(bench, { id, suite, language, program, args = [] }, run) {
  const { versions } = bench.peer(suite) ?? { versions: {} };
  return {
    id,
    title: language === "c" ? `C libbpf ${versions.libbpf}` : `Go cilium/ebpf ${versions.cilium}`,
    peer: suite,
    run: () => {
      const root = bench.peer(suite);
      const file = root.build(path(language === "c" ? `c/${program}.c` : `go/${program}`));
      const [command, all] = root.command(file, args);
      return run(command, all, root.env);
    },
  };
}
