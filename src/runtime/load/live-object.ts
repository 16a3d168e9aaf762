import type { ObjectSpec } from "../../object/spec/index.ts";
import type { Link } from "../link/index.ts";
import { ClosedError } from "../sys/index.ts";
import { type AttachOptions, attachAll } from "./attach/attach-object.ts";
import type { LiveVariable } from "./live-variables.ts";
import type { AssembledObject } from "./load-assembled.ts";
import { loadParts, type ObjectLoadOptions, type Parts } from "./load-parts.ts";
import { type ObjectSource, specOf } from "./object-source.ts";
import { PinFolder } from "./replace/pin-folder.ts";
import { attachablesOf, type Replaced, type ReplaceOptions, replaceObject } from "./replace/replace-object.ts";

/** A loaded object. Closing it detaches and closes all that it has. */
export interface LoadedObject<S extends ObjectSpec = ObjectSpec> extends AssembledObject<S> {
  /** Global variables of an object file, as long as it is loaded. */
  readonly variables: Readonly<Record<string, LiveVariable>>;
  /**
   * Attaches the programs by their sections (`SEC("tracepoint/sched/sched_switch")`), and puts tables of functions into
   * force; where a section does not say all, `options` do. Programs that are held in slots of maps, and those that only
   * `testRun` runs, are left alone. When one fails, those made before it are undone. The links by the names of programs are
   * also in `links`; they are closed with the object. Throws AttachError, SystemError and what the functions for the kinds
   * throw.
   */
  attach(options?: AttachOptions): Readonly<Record<string, Link>>;
  /**
   * Puts another object in the place of this one, with no event missed and none seen by both: `programs`, `variables` and
   * `maps` are then the new one's. Maps that are the same in both go on with all that they hold, and so do their readers;
   * for others `migrate` says how. Attachments with BPF_LINK_UPDATE are updated one by one; those without are changed all at
   * once, when the object was loaded with `replaceable: true`. New programs are attached, programs that are gone detached.
   *
   * When it is refused, nothing is changed: ReplaceError says which maps differ, and in what; all that loading and attaching
   * throw may be thrown. The promise is fulfilled when the last of the old programs has ended (some ten milliseconds); the
   * new ones are in force when this returns. An error of a migration's `settle` rejects it, with the new object in force.
   */
  replace(next: ObjectSource, options?: ReplaceOptions): Promise<Replaced>;
}

/**
 * Loads an object into the kernel: fits its programs to the kernel's types (CO-RE), finds what it wants of the kernel by
 * name, creates its maps and fills them, loads its programs. When one part fails, those made before it are closed again:
 * the kernel is left as it was. Throws SystemError, VerifierError, CoreError, ObjectError,
 * MapMismatchError (a map pinned by name is of another kind) or UnknownMapError. Needs
 * CAP_BPF, and CAP_PERFMON for tracing or CAP_NET_ADMIN for networking programs. The caller closes the object.
 */
export function loadObject<const S extends ObjectSpec>(object: S, options: ObjectLoadOptions = {}): LoadedObject<S> {
  return new LiveObject(loadParts(object, options), options) as unknown as LoadedObject<S>;
}

/** How an object is installed. */
export interface InstallOptions extends Omit<ObjectLoadOptions, "replaceable">, Pick<ReplaceOptions, "migrate"> {
  /** How its programs are attached, where their sections do not say it. */
  readonly attach?: AttachOptions;
}

/** An object that is at work without this process, too. Closing it leaves it at work. */
export interface InstalledObject<S extends ObjectSpec = ObjectSpec> extends LoadedObject<S> {
  /** What became of the object in whose place it was installed; undefined where there was none. */
  readonly replaced: Replaced | undefined;
}

/**
 * Puts an object to work so that it stays when this process is gone: loads and attaches it, and pins all of it in a folder of
 * a bpffs (`/sys/fs/bpf/NAME`). What is installed there already, by this or an earlier process, is replaced as `replace` does
 * it, maps and their contents included: a service can be updated, restarted or killed at any moment, and the kernel side goes
 * on, as the old or as the new. One process at a time has the folder. The caller closes the object; `uninstallObject` ends it.
 *
 * Throws ReplaceError (no bpffs, another process has the folder, maps differ, an attachment has no BPF link to be pinned:
 * probes and tracepoints before Linux 5.15), and what `loadObject`, `attach` and `replace` throw; then nothing is changed.
 */
export async function installObject<const S extends ObjectSource>(
  folder: string,
  object: S,
  options: InstallOptions = {},
): Promise<InstalledObject<S extends ObjectSpec ? S : ObjectSpec>> {
  const { attach = {}, migrate, ...load } = options;
  const loadOptions: ObjectLoadOptions = { ...load, replaceable: true };
  const pins = PinFolder.open(folder);
  let live: LiveObject | undefined;
  const installed = (one: LiveObject, replaced: Replaced | undefined) =>
    Object.assign(one, { replaced }) as unknown as InstalledObject<S extends ObjectSpec ? S : ObjectSpec>;
  try {
    const there = pins.read();
    if (there === undefined) {
      live = new LiveObject(loadParts(specOf(object), loadOptions), loadOptions, { pins });
      live.attach(attach);
      live.pin();
      return installed(live, undefined);
    }
    live = new LiveObject(there.parts, loadOptions, { links: there.links, attached: attach, pins });
    return installed(live, await live.replace(object, migrate === undefined ? {} : { migrate }));
  } catch (error) {
    live?.close();
    pins.close();
    throw error;
  }
}

/**
 * Ends what `installObject` put to work: removes the folder, upon which the kernel detaches and frees what no process holds.
 * Throws ReplaceError when another process has it.
 */
export function uninstallObject(folder: string): void {
  const pins = PinFolder.open(folder);
  try {
    pins.remove();
  } finally {
    pins.close();
  }
}

/** What an object has besides its parts, when it was installed. */
interface Installed {
  readonly links?: ReadonlyMap<string, Link>;
  readonly attached?: AttachOptions;
  readonly pins?: PinFolder;
}

class LiveObject implements LoadedObject {
  #parts: Parts;
  #links: ReadonlyMap<string, Link>;
  #attached: AttachOptions | undefined;
  /** A replacement whose old half is still to be closed. */
  #settling: Promise<void> | undefined;
  #closed = false;
  readonly #options: ObjectLoadOptions;
  readonly #pins: PinFolder | undefined;

  constructor(parts: Parts, options: ObjectLoadOptions, { links = new Map(), attached, pins }: Installed = {}) {
    this.#parts = parts;
    this.#options = options;
    this.#links = links;
    this.#attached = attached;
    this.#pins = pins;
  }

  /** Pins what is in force for the first time. */
  pin(): void {
    this.#pins?.stage(this.#parts, this.#links, true);
  }

  get maps(): LoadedObject["maps"] {
    return this.#parts.made.live;
  }

  get programs(): LoadedObject["programs"] {
    return this.#parts.programs;
  }

  get variables(): LoadedObject["variables"] {
    return this.#parts.variables;
  }

  get links(): readonly Link[] {
    return [...this.#links.values()];
  }

  attach(options: AttachOptions = {}): Readonly<Record<string, Link>> {
    this.#check();
    if (this.links.some(({ closed }) => !closed))
      throw new TypeError("The object is attached already: close its links first.");
    const { made, called } = this.#parts;
    this.#links = attachAll({ programs: attachablesOf(this.#parts), maps: made.live, called }, options);
    this.#attached = options;
    return Object.fromEntries(this.#links);
  }

  async replace(next: ObjectSource, options: ReplaceOptions = {}): Promise<Replaced> {
    this.#check();
    if (this.#settling !== undefined)
      throw new TypeError("The object is being replaced: wait for the promise of the first replace().");
    const { parts, links, replaced, settle } = replaceObject(
      { parts: this.#parts, links: this.#links, attached: this.#attached, options: this.#options },
      specOf(next),
      { ...options, pins: this.#pins },
    );
    this.#parts = parts;
    this.#links = links;
    this.#settling = settle();
    try {
      await this.#settling;
    } finally {
      this.#settling = undefined;
      if (this.#closed) this.#closeParts();
    }
    return replaced;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    // What both objects use is closed when the old one has been.
    if (this.#settling === undefined) this.#closeParts();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #closeParts(): void {
    const { closeVariables, programs, made, switch: sides } = this.#parts;
    closeVariables();
    for (const program of Object.values(programs)) program.close();
    sides?.close();
    made.close();
    this.#pins?.close();
  }

  #check(): void {
    if (this.#closed) throw new ClosedError("The object");
  }
}
