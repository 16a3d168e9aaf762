// Writes the archive form of an initramfs ("newc", Documentation/driver-api/early-userspace/buffer-format.rst).

const TYPE = { folder: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000, fifo: 0o010000 };

const pad = (length) => Buffer.alloc((4 - (length % 4)) % 4);

/**
 * @param {{ path: string, type?: keyof TYPE, mode?: number, data?: Buffer | string, major?: number, minor?: number }[]} entries
 * Folders come before what is in them.
 */
export function cpio(entries) {
  const parts = [];
  let inode = 0;
  const add = ({ path, type = "file", mode = 0o755, data = "", major = 0, minor = 0 }) => {
    const name = Buffer.from(`${path}\0`);
    const body = Buffer.from(data);
    const fields = [++inode, TYPE[type] | mode, 0, 0, 1, 0, body.length, 0, 0, major, minor, name.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
    parts.push(Buffer.from(header), name, pad(header.length + name.length), body, pad(body.length));
  };
  for (const entry of entries) add(entry);
  inode = -1;
  add({ path: "TRAILER!!!", mode: 0 });
  return Buffer.concat(parts);
}

/** Every folder above these paths, each once, parents first. */
export function foldersAbove(paths) {
  const folders = new Set();
  for (const path of paths) {
    const parts = path.split("/").slice(0, -1);
    for (let i = 1; i <= parts.length; i++) folders.add(parts.slice(0, i).join("/"));
  }
  return [...folders].map((path) => ({ path, type: "folder" }));
}
