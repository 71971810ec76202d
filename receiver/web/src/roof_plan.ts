/** Where panels shall be: what the owner does on the page, until it is saved. Pure. */

import type { PanelData } from "./schema.ts";

/** What is said of a panel; null: nothing. */
export interface PanelWords {
  name: string | null;
  array: string | null;
  row: number | null;
  column: number | null;
  azimuth: number | null;
  tilt: number | null;
}

type Facing = Pick<PanelWords, "azimuth" | "tilt">;

/** Rows and columns that are drawn; a panel beyond them stands beside the roof. */
export const MOST_LINES = 60;

const EMPTY: PanelWords = { name: null, array: null, row: null, column: null, azimuth: null, tilt: null };
const KEYS = Object.keys(EMPTY) as (keyof PanelWords)[];

export class RoofPlan {
  /** The serials of all panels, in their order. */
  readonly serials: readonly string[];
  private readonly panels: Map<string, PanelWords>;
  private readonly before: Map<string, PanelWords>;
  private readonly added: string[] = [];
  private readonly facings = new Map<string | null, Facing>(); // of arrays that have no panel yet

  constructor(serials: readonly string[], known: Record<string, PanelData>) {
    this.serials = serials;
    this.before = new Map(serials.map((serial) => [serial, pick(known[serial] ?? {})]));
    this.panels = new Map([...this.before].map(([serial, words]) => [serial, { ...words }]));
  }

  get(serial: string): PanelWords {
    return this.panels.get(serial) ?? EMPTY;
  }

  /** The arrays by name; null is the one without a name, where it is needed. */
  listArrays(): (string | null)[] {
    const named = new Set([...this.panels.values()].map((panel) => panel.array).filter((name) => name !== null));
    for (const name of this.added) named.add(name);
    const sorted: (string | null)[] = [...named].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
    return sorted.length === 0 || this.listPlaced(null).length > 0 ? [...sorted, null] : sorted;
  }

  /** The panels that are drawn in the cells of an array. */
  listPlaced(array: string | null): string[] {
    return this.serials.filter((serial) => this.get(serial).array === array && this.isDrawn(serial));
  }

  /** The panels that stand beside the roof. */
  listUnplaced(): string[] {
    return this.serials.filter((serial) => !this.isDrawn(serial));
  }

  /** How many rows and columns an array has, one more of each than are used. */
  findSize(array: string | null): { rows: number; columns: number } {
    const placed = this.listPlaced(array).map((serial) => this.get(serial));
    const count = (used: number[]): number => Math.min(MOST_LINES, Math.max(0, ...used) + 1);
    return { rows: count(placed.map((panel) => panel.row!)), columns: Math.max(2, count(placed.map((panel) => panel.column!))) };
  }

  /** Put a panel into a cell; whoever was there takes the place that it had. */
  move(serial: string, array: string | null, row: number, column: number): void {
    const panel = this.get(serial);
    const other = this.serials.find((one) => {
      const words = this.get(one);
      return one !== serial && words.array === array && words.row === row && words.column === column;
    });
    const facing = panel.array === array ? panel : this.findFacing(array, serial);
    const theirs = panel.array === array || panel.row === null ? null : this.findFacing(panel.array, serial);
    if (other !== undefined) this.set(other, { array: panel.row === null ? array : panel.array, row: panel.row, column: panel.column, ...theirs });
    this.set(serial, { array, row, column, azimuth: facing.azimuth, tilt: facing.tilt });
  }

  /** The nearest free cell of the first array, for a panel that stands beside the roof. */
  placeSomewhere(serial: string): void {
    const own = this.get(serial).array;
    const array = own ?? this.listArrays()[0] ?? null;
    const taken = new Set(this.listPlaced(array).map((one) => `${this.get(one).row}/${this.get(one).column}`));
    let [row, column] = [1, 1];
    const { columns } = this.findSize(array);
    while (taken.has(`${row}/${column}`)) [row, column] = column < columns ? [row, column + 1] : [row + 1, 1];
    this.move(serial, array, row, column);
  }

  takeOff(serial: string): void {
    this.set(serial, { row: null, column: null });
  }

  rename(serial: string, name: string): void {
    this.set(serial, { name: name.trim() || null });
  }

  addArray(name: string): void {
    this.added.push(name);
  }

  renameArray(from: string | null, to: string | null): void {
    for (const serial of this.serials) {
      if (this.get(serial).array === from && (from !== null || this.isDrawn(serial))) this.set(serial, { array: to });
    }
    const index = from === null ? -1 : this.added.indexOf(from);
    if (index >= 0) this.added.splice(index, 1);
    if (index >= 0 && to !== null) this.added.push(to);
  }

  /** Say where all panels of an array face. */
  turn(array: string | null, facing: Facing): void {
    this.facings.set(array, facing);
    for (const serial of this.serials) if (this.get(serial).array === array) this.set(serial, facing);
  }

  /** Where the panels of an array face; null where they differ, or where nobody said it. */
  findFacing(array: string | null, without?: string): Facing {
    const members = this.serials.filter((serial) => serial !== without && this.get(serial).array === array).map((serial) => this.get(serial));
    if (members.length === 0) return this.facings.get(array) ?? { azimuth: null, tilt: null };
    const findCommon = (key: "azimuth" | "tilt"): number | null =>
      members.every((one) => one[key] === members[0]![key]) ? members[0]![key] : null;
    return { azimuth: findCommon("azimuth"), tilt: findCommon("tilt") };
  }

  /** Take over what a layout says; gives how many panels, and how many it names that are not here. */
  take(panels: Record<string, PanelData>): { count: number; others: number } {
    const known = Object.keys(panels).filter((serial) => this.panels.has(serial));
    for (const serial of known) if (panels[serial]!.row !== undefined) this.takeOff(serial);
    for (const serial of known) {
      const { row, column, ...words } = pick(panels[serial]!);
      this.set(serial, Object.fromEntries(Object.entries(words).filter(([, value]) => value !== null)));
      const others = this.serials.filter((one) => one !== serial && this.get(one).array === this.get(serial).array);
      for (const one of others) if (row !== null && this.get(one).row === row && this.get(one).column === column) this.takeOff(one);
      if (row !== null) this.set(serial, { row, column });
    }
    return { count: known.length, others: Object.keys(panels).length - known.length };
  }

  /** What is other than before, by serial; null takes a word away. */
  listChanges(): Record<string, Partial<PanelWords>> {
    const changes: Record<string, Partial<PanelWords>> = {};
    for (const [serial, words] of this.panels) {
      const was = this.before.get(serial)!;
      const changed = KEYS.filter((key) => words[key] !== was[key]).map((key) => [key, words[key]]);
      if (changed.length > 0) changes[serial] = Object.fromEntries(changed) as Partial<PanelWords>;
    }
    return changes;
  }

  private isDrawn(serial: string): boolean {
    const { row, column } = this.get(serial);
    return row !== null && column !== null && row <= MOST_LINES && column <= MOST_LINES;
  }

  private set(serial: string, words: Partial<PanelWords>): void {
    this.panels.set(serial, { ...this.get(serial), ...words });
  }
}

function pick(known: PanelData): PanelWords {
  return Object.fromEntries(KEYS.map((key) => [key, known[key] ?? null])) as unknown as PanelWords;
}
