/** Which system needs a person first. Pure. */

export interface SystemHealth {
  serial: string;
  name: string;
  /** How many things are wrong with it, and how many may become so. */
  bad: number;
  warnings: number;
  /** Of its newest reading, s. */
  age: number;
}

/** Below this a system is heard as it should be, and none is better than another. */
const YOUNG_S = 300;

/** The worst first: what is wrong, then who is silent the longest, then by name. */
export function compareSystems(one: SystemHealth, other: SystemHealth): number {
  return other.bad - one.bad || other.warnings - one.warnings || countSilence(other) - countSilence(one) ||
    one.name.localeCompare(other.name, undefined, { numeric: true }) || one.serial.localeCompare(other.serial);
}

function countSilence(system: SystemHealth): number {
  return Math.max(0, system.age - YOUNG_S);
}
