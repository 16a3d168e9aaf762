import { padded } from "./rows.ts";
import { cellText, isNumeric } from "./text.ts";

/** A field of a ring's events, and how wide its column begins. */
export interface EventField {
  readonly name: string;
  /** Columns that its values usually take. */
  readonly width: number;
}

const MOST = 40;

/**
 * Events of one kind as lines in columns. The first line is headed by the fields' names; columns grow with what comes and
 * never shrink, so that a line may stand out once and the next ones are in line again.
 */
export class EventColumns {
  readonly #names: readonly string[];
  readonly #widths: number[];
  #headed = false;
  /** Whether a column stands at the right, told by the first event. */
  #right: readonly boolean[] = [];
  readonly #prefix: string;

  /** `prefix` stands before each line: which ring it is of, where there are several. */
  constructor(fields: readonly EventField[], prefix = "") {
    this.#names = fields.map(({ name }) => name);
    this.#widths = fields.map(({ name, width }) => Math.max(name.length, Math.min(width, MOST)));
    this.#prefix = prefix === "" ? "" : `${prefix}  `;
  }

  /** The event's line, under the heading when it is the first. */
  lines(event: unknown): string[] {
    const values = this.#names.map((name) => (event as Record<string, unknown>)[name]);
    if (!this.#headed) this.#right = values.map(isNumeric);
    const cells = values.map(cellText);
    const line = this.#line(cells);
    if (this.#headed) return [line];
    this.#headed = true;
    return [this.#line(this.#names), line];
  }

  /** The next event is headed again: other lines came between. */
  interrupt(): void {
    this.#headed = false;
  }

  #line(cells: readonly string[]): string {
    const parts = cells.map((cell, i) => {
      const width = this.#widths[i] ?? 0;
      if (cell.length > width && cell.length <= MOST) this.#widths[i] = cell.length;
      return padded(cell, width, this.#right[i] === true);
    });
    return `${this.#prefix}${parts.join("  ")}`.trimEnd();
  }
}
