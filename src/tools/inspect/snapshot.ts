import type { BpfMap, Link, Program } from "../../sdk/index.ts";
import { findHolders, type Holders } from "./holders.ts";
import { LINKS, type LinkReport, reportLink, TargetNames } from "./link-report.ts";
import { MAPS, type MapReport, reportMap } from "./map-entries.ts";
import { PROGRAMS, type ProgramReport, reportProgram } from "./program-report.ts";
import { reportAll } from "./select.ts";

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
    return reportAll(PROGRAMS, (program) => this.program(program), this.newer);
  }

  /** One program, which the caller has open. Throws SystemError. */
  program(program: Program): ProgramReport {
    return reportProgram(program, this.#allHolders(), this.links());
  }

  /** All maps, by id. Throws SystemError. */
  maps(): readonly MapReport[] {
    return reportAll(MAPS, (map) => this.map(map), this.newer);
  }

  /** One map, which the caller has open. Throws SystemError. */
  map(map: BpfMap): MapReport {
    return reportMap(map, this.#allHolders(), this.#allUsers());
  }

  /** None before Linux 5.8, which has no ids of links. */
  links(): readonly LinkReport[] {
    try {
      this.#links ??= reportAll(LINKS, (link) => this.link(link));
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
    this.#users ??= new Map(
      reportAll(PROGRAMS, (program) => {
        const { id, mapIds } = program.details();
        return [id, mapIds];
      }),
    );
    return this.#users;
  }
}
