// Fewer files of a library that esbuild has split. esbuild makes a shared file for each set of entries that need the same
// modules: with ten entries a program that imports one of them loads a dozen files, and Node takes some half a millisecond for
// each before a line runs. Here they become one for each of some entries: no module is in two, and no entry loads much that
// it does not need.
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, resolve } from "node:path";
import { build } from "esbuild";

/**
 * Merges shared files of `folder`. A group is the name of the file to make and the entries that it is for: what these load and
 * no group before has.
 * @param {string} folder
 * @param {import("esbuild").Metafile} metafile Of the build that wrote the folder.
 * @param {readonly (readonly [name: string, entries: readonly string[]])[]} groups
 * @param {import("esbuild").BuildOptions} options
 */
export async function mergeChunks(folder, metafile, groups, options) {
  const files = new Map(
    Object.entries(metafile.outputs)
      .filter(([path]) => path.endsWith(".js"))
      .map(([path, output]) => [basename(path), output]),
  );
  const groupOf = assign(files, groups);
  const merged = (name) => `shared-${name}.js`;
  const renamed = rename(files, groupOf);
  const kept = [...files.keys()].filter((file) => !groupOf.has(file) && !isHelpers(files.get(file)));
  const fresh = `${folder}-merged`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const plugin = {
    name: "merge",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^group:/ }, ({ path }) => ({ path: path.slice(6), namespace: "group" }));
      // All that the files of a group export, each by a name that no other has.
      onLoad({ filter: /.*/, namespace: "group" }, ({ path: group }) => ({
        resolveDir: resolve(folder),
        contents: [...groupOf]
          .filter(([, of]) => of === group)
          .map(([file]) => reexport(`./${file}`, renamed.get(file)))
          .join("\n"),
      }));
      onResolve({ filter: /^\.\/[\w-]+\.js$/ }, ({ path, importer, namespace }) => {
        const file = path.slice(2);
        if (namespace === "proxy") return { path, external: true };
        if (isHelpers(files.get(file))) return undefined;
        const group = groupOf.get(file);
        if (group === undefined) return { path, external: true };
        const from = namespace === "group" ? importer : groupOf.get(basename(importer));
        return group === from ? undefined : { path: file, namespace: "proxy" };
      });
      // What stands for a merged file where it is imported.
      onLoad({ filter: /.*/, namespace: "proxy" }, ({ path: file }) => ({
        resolveDir: resolve(folder),
        contents: reexport(
          `./${merged(groupOf.get(file))}`,
          new Map([...renamed.get(file)].map(([name, unique]) => [unique, name])),
        ),
      }));
    },
  };
  await build({
    ...options,
    splitting: false,
    // esbuild's own helpers do nothing when they are loaded.
    logOverride: { "ignored-bare-import": "silent" },
    outdir: fresh,
    plugins: [plugin],
    entryPoints: {
      ...Object.fromEntries(kept.map((file) => [file.slice(0, -3), `${folder}/${file}`])),
      ...Object.fromEntries(groups.map(([name]) => [merged(name).slice(0, -3), `group:${name}`])),
    },
  });
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}

/** esbuild's own helpers stand in a file that comes from no source; they have no state, and each file may have its own. */
function isHelpers(output) {
  return output !== undefined && output.entryPoint === undefined && Object.keys(output.inputs).length === 0;
}

/** @returns {Map<string, string>} file to group */
function assign(files, groups) {
  const groupOf = new Map();
  for (const [name, entries] of groups) {
    const seen = new Set();
    const visit = (file) => {
      if (seen.has(file)) return;
      seen.add(file);
      const output = files.get(file);
      if (output === undefined) throw new Error(`There is no file ${file} to merge.`);
      for (const { path, kind, external } of output.imports)
        if (kind === "import-statement" && !external) visit(basename(path));
      if (output.entryPoint !== undefined || isHelpers(output) || groupOf.has(file)) return;
      // Nothing would load it any more.
      if (output.exports.length === 0) throw new Error(`${file} exports nothing, and cannot be merged.`);
      groupOf.set(file, name);
    };
    for (const entry of entries) visit(`${entry}.js`);
  }
  return groupOf;
}

/** @returns {Map<string, Map<string, string>>} for each merged file its exports, and what they are called in their group */
function rename(files, groupOf) {
  const taken = new Map([...groupOf.values()].map((group) => [group, new Set()]));
  const unique = (name, names) => {
    let free = name;
    for (let i = 2; names.has(free); i++) free = `${name}${i}`;
    names.add(free);
    return free;
  };
  return new Map(
    [...groupOf].map(([file, group]) => [
      file,
      new Map(files.get(file).exports.map((name) => [name, unique(name, taken.get(group))])),
    ]),
  );
}

/** @param {Map<string, string>} names exported name by the name in `path` */
function reexport(path, names) {
  const list = [...names].map(([name, as]) => (name === as ? name : `${name} as ${as}`));
  return `export { ${list.join(", ")} } from "${path}";`;
}
