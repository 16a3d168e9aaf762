import { existsSync, mkdirSync, openSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { bytes } from "../../../object/codec/index.ts";
import type { MapSpec, ProgramSpec } from "../../../object/spec/index.ts";
import { type Link, openPinnedLink } from "../../link/index.ts";
import { type BpfMap, createMap, openPinnedMap } from "../../map/index.ts";
import { Fd, isBpffs, openPin, Pins, SystemError, tryLock } from "../../sys/index.ts";
import type { Parts } from "../load-parts.ts";
import { ObjectMaps } from "../object-maps.ts";
import { Program } from "../program.ts";
import { ReplaceError } from "./replace-error.ts";
import type { ObjectShape, Place } from "./shape.ts";
import { type Points, SLOTS, Switch, WORD } from "./switch.ts";

const ENOENT = 2;
/** The file with the count of turns: which of the folders inside is in force. */
const TURNS = "turns";
/** The file that tells of all others in its folder. */
const DESCRIPTION = "object";

/** What is written beside the pins: files by the names that things have in their object. */
interface Description {
  readonly shape: ObjectShape;
  readonly maps: Readonly<Record<string, string>>;
  readonly programs: Readonly<Record<string, string>>;
  readonly links: Readonly<Record<string, string>>;
  /** What is attached in the place of programs, and its slots. */
  readonly points: Readonly<Record<string, readonly [program: string, slots: string]>>;
}

/** What is pinned: everything of an object that is in force. */
export interface Pinned {
  readonly parts: Parts;
  readonly links: ReadonlyMap<string, Link>;
}

/**
 * A folder of a bpffs in which an object is kept with its attachments, so that it is at work without a process, and another
 * process can put a new one in its place. Each turn has a folder of its own with all that belongs to it; which one is in force
 * is said by the very word that the programs read. So there is no moment at which a process that is killed leaves less than
 * the old or the new.
 */
export class PinFolder {
  readonly path: string;
  readonly #lock: Fd;

  private constructor(path: string, lock: Fd) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Opens the folder, and makes it where there is none; for this process alone. Throws ReplaceError when it is in no bpffs or
   * another process has it open, and Node's own errors of mkdir(2).
   */
  static open(path: string): PinFolder {
    if (isBpffs(existsSync(path) ? path : dirname(path)) === false)
      throw new ReplaceError(
        `${path} is in no bpffs, which alone keeps eBPF objects: mount one (mount -t bpf bpf /sys/fs/bpf) and choose a folder in it.`,
      );
    mkdirSync(path, { recursive: true });
    const lock = new Fd(openSync(path, "r"), `folder ${path}`);
    if (tryLock(lock)) return new PinFolder(path, lock);
    lock.close();
    throw new ReplaceError(
      `Another process is at ${path}: what is installed there is in its hands until it ends or closes it.`,
    );
  }

  /**
   * What is in force there; undefined for a folder that nothing was installed in. What a process left there that was killed
   * is removed. The caller closes it. Throws SystemError.
   */
  read(): Pinned | undefined {
    const opened: { close(): void }[] = [];
    const keep = <T extends { close(): void }>(one: T): T => {
      opened.push(one);
      return one;
    };
    try {
      const word = keep(openPinnedMap(join(this.path, TURNS), WORD));
      const turn = Number(word.get(0));
      const folder = this.#folder(turn);
      const description = readDescription(folder);
      const each = <A, B>(of: Readonly<Record<string, A>>, open: (one: A, name: string) => B) =>
        Object.entries(of).map(([name, one]) => [name, open(one, name)] as const);
      const { shape } = description;
      const maps = each(description.maps, (file, name) =>
        keep(openPinnedMap(join(folder, file), layoutsOf(shape, name)) as BpfMap),
      );
      const program = (file: string, name: string) =>
        keep(pinnedProgram(join(folder, file), name, shape.programs[name]));
      const programs = each(description.programs, program);
      const links = each(description.links, (file) => keep(openPinnedLink(join(folder, file))));
      const points = each(
        description.points,
        ([file, slots], name): Points => ({
          program: program(file, name),
          slots: keep(openPinnedMap(join(folder, slots), SLOTS)),
        }),
      );
      const made = new ObjectMaps();
      Object.assign(made.live, Object.fromEntries(maps));
      this.retire(turn);
      return {
        parts: {
          shape: () => shape,
          called: new Set(),
          made,
          programs: Object.fromEntries(programs),
          variables: {},
          closeVariables: () => {},
          switch: Switch.of(
            word,
            points.map(([, point]) => point),
          ),
          points: new Map(points),
        },
        links: new Map(links),
      };
    } catch (error) {
      for (const one of opened) one.close();
      if (opened.length > 0 || !(error instanceof SystemError) || error.errno !== ENOENT) throw error;
      // Without the word nothing was ever in force.
      this.retire(undefined);
      return undefined;
    }
  }

  /**
   * Pins all of an object for the turn that comes next, or the first. What is there of a turn that never came is removed.
   * Throws ReplaceError for an attachment that cannot be pinned, SystemError.
   */
  stage(parts: Parts, links: ReadonlyMap<string, Link>, isFirst: boolean): void {
    const { switch: sides } = parts;
    const folder = this.#folder(isFirst ? 0 : (sides?.turns ?? 0) + 1);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    try {
      this.#pinAll(folder, parts, links);
      if (isFirst && sides !== undefined) new Pins().pin(sides.word.fd, join(this.path, TURNS), "the count of turns");
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Removes what is pinned for other turns than the one in force; what else is pinned in the folder is not ours. */
  retire(turn: number | undefined): void {
    const name = turn === undefined ? undefined : folderName(turn);
    for (const entry of readdirSync(this.path))
      if (TURN_FOLDER.test(entry) && entry !== name) rmSync(join(this.path, entry), { recursive: true, force: true });
  }

  /** Removes all that was installed: what no process holds is detached. The folder stays where others pin, too. */
  remove(): void {
    // First the word: from then on nothing is installed here.
    rmSync(join(this.path, TURNS), { force: true });
    this.retire(undefined);
    if (readdirSync(this.path).length === 0) rmdirSync(this.path);
  }

  close(): void {
    this.#lock.close();
  }

  #pinAll(folder: string, { made, programs, points, shape }: Parts, links: ReadonlyMap<string, Link>): void {
    const pins = new Pins();
    let files = 0;
    const pin = (fd: Fd, kind: string, name: string): string => {
      // A bpffs takes no dots, and the names of sections begin with one.
      const file = `${kind}${files++}_${name.replaceAll(/[^A-Za-z0-9_]/g, "_")}`;
      pins.pin(fd, join(folder, file), `${kind} "${name}"`);
      return file;
    };
    const each = <A, B>(of: Iterable<readonly [string, A]>, file: (one: A, name: string) => B): Record<string, B> =>
      Object.fromEntries([...of].map(([name, one]) => [name, file(one, name)]));
    const description: Description = {
      shape: shape(),
      maps: each(Object.entries(made.live), ({ fd }, name) => pin(fd, "map", name)),
      programs: each(Object.entries(programs), ({ fd }, name) => pin(fd, "program", name)),
      links: each(links, (link, name) => {
        if (link.fd !== undefined) return pin(link.fd, "link", name);
        throw new ReplaceError(
          `What is attached for "${name}" (${link.description}) cannot outlive this process: the kernel keeps no BPF link for it (for probes, tracepoints and perf events it does since Linux 5.15).`,
        );
      }),
      points: each(points, ({ program, slots }, name) => [
        pin(program.fd, "point", name),
        pin(slots.fd, "slots", name),
      ]),
    };
    writeDescription(description, pins, folder);
  }

  #folder(turn: number): string {
    return join(this.path, folderName(turn));
  }
}

const TURN_FOLDER = /^turn\d+$/;

function folderName(turn: number): string {
  return `turn${turn}`;
}

function layoutsOf(shape: ObjectShape, name: string) {
  const { key, value } = shape.maps[name] ?? {};
  return { ...(key !== undefined && { key }), ...(value !== undefined && { value }) };
}

function pinnedProgram(path: string, name: string, place: Place | undefined): Program {
  const spec: ProgramSpec = { ...(place ?? { type: "unspec" }), instructions: [], license: "" };
  return new Program(name, spec, openPin(path, "program"));
}

/** A bpffs holds no text: the description is the value of a map. */
function writeDescription(description: Description, pins: Pins, folder: string): void {
  const text = Buffer.from(JSON.stringify(description));
  const spec = { type: "array", value: bytes(text.length), maxEntries: 1 } as const satisfies MapSpec;
  using map = createMap(spec, "skep_object");
  map.set(0, new Uint8Array(text));
  pins.pin(map.fd, join(folder, DESCRIPTION), "the description of the object");
}

function readDescription(folder: string): Description {
  using map = openPinnedMap(join(folder, DESCRIPTION), { type: "array" }) as BpfMap;
  return JSON.parse(Buffer.from(map.getRaw(new Uint8Array(4)) ?? []).toString("utf8")) as Description;
}
