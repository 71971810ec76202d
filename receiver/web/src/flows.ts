/** Who feeds whom: the flows between sun, house, grid and battery at one moment, in W. Pure. */

/** The site now, in W: `net` + from the grid, `battery` + discharging; null is unknown. */
export interface SiteNow {
  production: number | null;
  load: number | null;
  net: number | null;
  battery: number | null;
}

export interface Flows {
  sunToHouse: number;
  sunToGrid: number;
  sunToBattery: number;
  gridToHouse: number;
  gridToBattery: number;
  batteryToHouse: number;
  batteryToGrid: number;
}

const keepPositive = (value: number | null): number => Math.max(0, value ?? 0);

/**
 * Split the four powers into flows. What is sold is sun before battery, and what charges the battery is sun
 * before grid; the house takes what is left of each, if it is measured.
 */
export function computeFlows(now: SiteNow): Flows {
  const sun = keepPositive(now.production);
  const bought = keepPositive(now.net);
  const sold = keepPositive(now.net === null ? null : -now.net);
  const discharged = keepPositive(now.battery);
  const charged = keepPositive(now.battery === null ? null : -now.battery);
  const sunToGrid = Math.min(sun, sold);
  const batteryToGrid = Math.min(discharged, sold - sunToGrid);
  const sunToBattery = Math.min(sun - sunToGrid, charged);
  const gridToBattery = Math.min(bought, charged - sunToBattery);
  const isMeasured = now.load !== null; // else nobody knows what reaches the house
  return {
    sunToGrid,
    batteryToGrid,
    sunToBattery,
    gridToBattery,
    sunToHouse: isMeasured ? sun - sunToGrid - sunToBattery : 0,
    batteryToHouse: isMeasured ? discharged - batteryToGrid : 0,
    gridToHouse: isMeasured ? bought - gridToBattery : 0,
  };
}

/** The site as the live sums tell it. They know no battery, so what its power is comes from elsewhere. */
export function readSums(sums: { p: number; c: number; n: number }, battery: number | null): SiteNow {
  return { production: sums.p, load: sums.c, net: sums.n, battery };
}
