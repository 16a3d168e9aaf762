import { type BpfMap, type Link, openProgram, type Program, programIds } from "../../sdk/index.ts";
import { findHolders, type Holders } from "./holders.ts";
import { type LinkReport, listLinks, reportLink, TargetNames } from "./link-report.ts";
import { listMaps, type MapReport, reportMap } from "./map-entries.ts";
import { listPrograms, type ProgramReport, reportProgram } from "./program-report.ts";
import { openIfThere } from "./select.ts";

/**
 * The machine's programs, maps and links, and who holds them, each asked for once and only when it is needed. Needs
 * CAP_SYS_ADMIN.
 */
export class Snapshot {
  #holders: Holders | undefined;
  #links: readonly LinkReport[] | undefined;
  #users: ReadonlyMap<number, readonly number[]> | undefined;
  readonly #names = new TargetNames();
  /** The ids of listed programs and maps that are of a kind newer than this version of Skep: they are not among the others. */
  readonly newer: number[] = [];

  /** All programs, by id. Throws SystemError. */
  programs(): readonly ProgramReport[] {
    return listPrograms(this.#allHolders(), this.links(), this.newer);
  }

  /** One program, which the caller has open. Throws SystemError. */
  program(program: Program): ProgramReport {
    return reportProgram(program, this.#allHolders(), this.links());
  }

  /** All maps, by id. Throws SystemError. */
  maps(): readonly MapReport[] {
    return listMaps(this.#allHolders(), this.#allUsers(), this.newer);
  }

  /** One map, which the caller has open. Throws SystemError. */
  map(map: BpfMap): MapReport {
    return reportMap(map, this.#allHolders(), this.#allUsers());
  }

  /** None before Linux 5.8, which has no ids of links. */
  links(): readonly LinkReport[] {
    try {
      this.#links ??= listLinks(this.#allHolders(), this.#names);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EINVAL") throw error;
      this.#links = [];
    }
    return this.#links;
  }

  /** One link, which the caller has open. Throws SystemError. */
  link(link: Link): LinkReport {
    return reportLink(link, this.#allHolders(), this.#names);
  }

  #allHolders(): Holders {
    this.#holders ??= findHolders();
    return this.#holders;
  }

  /** The ids of the maps that each program uses. */
  #allUsers(): ReadonlyMap<number, readonly number[]> {
    if (this.#users === undefined) {
      const users = new Map<number, readonly number[]>();
      for (const id of programIds()) {
        using program = openIfThere({ open: openProgram }, id);
        if (program !== undefined) users.set(id, program.details().mapIds);
      }
      this.#users = users;
    }
    return this.#users;
  }
}
