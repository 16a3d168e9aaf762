// What V8 compiled, kept in a folder beside the code: for the library (code.ts) and for the command (bin/skep.js).
const {
  chownSync,
  closeSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} = process.getBuiltinModule("node:fs");

/** After so many milliseconds nobody writes it any more: its process was ended. */
const ABANDONED = 60_000;

/** Kept code, and how often nothing was to be added to it since something was. */
export interface Kept {
  readonly data: Buffer;
  readonly tries: number;
}

/**
 * V8 runs what it gets without a look at it, so it is there twice, and must be the same: what a loss of power or a bad disk
 * left would end the process. And it must be as much the owner's of the code as the code is. bin/skep.js has the same.
 */
export function readKept(folder: string, file: string): Kept | undefined {
  try {
    if (!isOwners(folder)) return undefined;
    const bytes = readFileSync(`${folder}/${file}`);
    const half = (bytes.length - 1) / 2;
    const data = bytes.subarray(0, half);
    const isWhole = half > 0 && data.equals(bytes.subarray(half, half * 2));
    return isWhole ? { data, tries: bytes.at(-1) as number } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps code under a name, for the owner of the folder that `folder` is in: root leaves nothing there that is not the
 * owner's, and other users leave nothing. Throws errors of fs; then nothing is changed.
 */
export function writeKept(folder: string, file: string, data: Buffer): void {
  const { uid, gid } = statSync(parentOf(folder));
  const user = process.geteuid?.();
  if (user !== uid && user !== 0) return;
  const made = mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (made !== undefined && user !== uid) chownSync(folder, uid, gid);
  if (!isOwners(folder)) return;
  sweep(folder);
  const part = `${folder}/${file}.${Math.random().toString(36).slice(2)}.part`;
  const fd = openSync(part, "wx", 0o644);
  try {
    try {
      writeFileSync(fd, Buffer.concat([data, data, Buffer.of(0)]));
      if (user !== uid) fchownSync(fd, uid, gid);
    } finally {
      closeSync(fd);
    }
    // Whole files only, for whoever reads it now.
    renameSync(part, `${folder}/${file}`);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

/** Notes how often nothing was to be added to `size` bytes of kept code. Throws errors of fs. */
export function writeTries(folder: string, file: string, size: number, tries: number): void {
  const fd = openSync(`${folder}/${file}`, "r+");
  try {
    // Another process may have kept more meanwhile.
    if (fstatSync(fd).size === size * 2 + 1) writeSync(fd, Uint8Array.of(tries), 0, 1, size * 2);
  } finally {
    closeSync(fd);
  }
}

function parentOf(folder: string): string {
  return folder.slice(0, folder.lastIndexOf("/"));
}

function isOwners(folder: string): boolean {
  const code = statSync(parentOf(folder));
  const kept = statSync(folder);
  return kept.uid === code.uid && (kept.mode & ~code.mode & 0o022) === 0;
}

function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = `${folder}/${name}`;
    if (name.endsWith(".part") && Date.now() - statSync(path).mtimeMs > ABANDONED) rmSync(path, { force: true });
  }
}
