// What V8 compiled, kept in a folder beside the code: read by the library (code.ts) and by the command (bin/skep.js).
const {
  chownSync,
  closeSync,
  fchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = process.getBuiltinModule("node:fs");

/** After so many milliseconds nobody writes it any more: its process was ended. */
const ABANDONED = 60_000;

/** Kept code, and what was put behind it. */
export interface Kept {
  readonly data: Buffer;
  readonly behind: Buffer;
}

/**
 * V8 runs what it gets without a look at it, so it is there twice, and must be the same: what a loss of power or a bad disk
 * left would end the process. And it must be as much the owner's of the code as the code is.
 * @param size Bytes behind the two copies.
 */
export function readKept(folder: string, file: string, size: number): Kept | undefined {
  try {
    if (!isOwners(folder)) return undefined;
    const bytes = readFileSync(`${folder}/${file}`);
    const half = (bytes.length - size) / 2;
    const data = bytes.subarray(0, half);
    return half > 0 && data.equals(bytes.subarray(half, half * 2))
      ? { data, behind: bytes.subarray(half * 2) }
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps code under a name, for the owner of the folder that `folder` is in: root leaves nothing there that is not the
 * owner's, and other users leave nothing. Throws errors of fs; then nothing is changed.
 */
export function writeKept(folder: string, file: string, data: Buffer, behind: Buffer): void {
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
      writeFileSync(fd, Buffer.concat([data, data, behind]));
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
