import { escapeName } from "./escape.ts";

/** A socket as it is shown: what it is, and its two ends as far as they are known. */
export interface SocketName {
  /** `TCP`, `UDPv6`, `UNIX`, `NETLINK:ROUTE` … */
  readonly socket: string;
  readonly local?: string | undefined;
  readonly peer?: string | undefined;
}

/** What a descriptor is open on; a function when it costs something to find out, which is called once, when it is shown. */
export type Opened = string | SocketName | (() => string | SocketName);

/**
 * What open(2), socket(2) and the like made. Every descriptor copied from the first one shares it, in other processes,
 * too, as it does in the kernel: what connect(2) says to one of them is known to all.
 */
export class OpenFile {
  #text = "";
  #label: string | undefined;
  #name: SocketName | undefined;
  #find: (() => string | SocketName) | undefined;

  constructor(what: Opened) {
    if (typeof what === "function") this.#find = what;
    else this.#is(what);
  }

  /** As programs read it. */
  get text(): string {
    this.#found();
    return this.#text;
  }

  /** As a terminal may show it, between angle brackets. */
  get label(): string {
    this.#found();
    this.#label ??= escapeName(this.#text);
    return this.#label;
  }

  /** Undefined for what is no socket. */
  get socket(): string | undefined {
    return this.#found()?.socket;
  }

  get local(): string | undefined {
    return this.#found()?.local;
  }

  /** Gives a socket another address; a file stays what it is. */
  setLocal(local: string | undefined): void {
    const name = this.#found();
    if (name !== undefined) this.#rename({ ...name, local });
  }

  setPeer(peer: string | undefined): void {
    const name = this.#found();
    if (name !== undefined) this.#rename({ ...name, peer });
  }

  /** Gives a file that has a path another one. */
  rename(moved: (path: string) => string): void {
    if (this.#name !== undefined || !this.text.startsWith("/")) return;
    this.#text = moved(this.#text);
    this.#label = undefined;
  }

  #found(): SocketName | undefined {
    const find = this.#find;
    if (find !== undefined) {
      this.#find = undefined;
      this.#is(find());
    }
    return this.#name;
  }

  #is(what: string | SocketName): void {
    if (typeof what === "string") this.#text = what;
    else this.#rename(what);
  }

  #rename(name: SocketName): void {
    const { socket, local, peer } = name;
    this.#name = name;
    const ends = `${local ?? ""}${peer === undefined ? "" : `→${peer}`}`;
    this.#text = ends === "" ? socket : `${socket}:${ends}`;
    this.#label = undefined;
  }
}

/** One descriptor: what it is open on, and the only thing that is its own. */
export interface Descriptor {
  readonly file: OpenFile;
  readonly closeOnExec: boolean;
}
