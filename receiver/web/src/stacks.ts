/** A window of energy as pieces of a bar: what the sun gave above the line, what came from elsewhere below it. Pure. */

import type { EnergyWindow } from "./schema.ts";

export interface Piece {
  part: "used" | "sold" | "produced" | "bought" | "discharged";
  wh: number;
}

export interface Stack {
  above: Piece[];
  below: Piece[];
}

/** Energies that are known of the same time may be subtracted, others not. */
const SAME = 0.02;

/** The pieces of one window. What stayed at home is known only where production and sale are known of the same time. */
export function splitWindow(window: EnergyWindow): Stack {
  const { production_wh: produced, exported_wh: sold } = window;
  const above: Piece[] = [];
  const filled = Math.abs((window.production_filled_wh ?? 0) - (window.exported_filled_wh ?? 0));
  const splits = produced !== null && sold !== null && sold <= produced && filled <= SAME * produced &&
    Math.abs(window.production_coverage - window.exported_coverage) <= SAME;
  if (splits) above.push({ part: "used", wh: produced - sold }, { part: "sold", wh: sold });
  else if (produced !== null) above.push({ part: "produced", wh: produced });
  const below: Piece[] = [];
  if (window.imported_wh !== null) below.push({ part: "bought", wh: window.imported_wh });
  if (window.discharged_wh !== null) below.push({ part: "discharged", wh: window.discharged_wh });
  return { above: above.filter(isSomething), below: below.filter(isSomething) };
}

function isSomething(piece: Piece): boolean {
  return piece.wh > 0;
}

/** A scale for stacks: how far it goes up and down (Wh), in steps from the line that people read easily. */
export function chooseScale(stacks: Stack[]): { top: number; bottom: number; step: number } {
  const high = Math.max(0, ...stacks.map((one) => sum(one.above)));
  const low = Math.max(0, ...stacks.map((one) => sum(one.below)));
  const rough = Math.max(100, (high + low) / 4);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough)!;
  return { top: Math.max(step, Math.ceil(high / step) * step), bottom: low > 0 ? Math.max(low, step / 4) : 0, step };
}

/** The energies of pieces together, Wh. */
export function sum(pieces: Piece[]): number {
  return pieces.reduce((total, piece) => total + piece.wh, 0);
}
