/** Units of time, named once. */

export const QUARTER_MS = 900_000;
export const HOUR_MS = 3_600_000;
export const DAY_S = 86_400;
export const YEAR_S = 365.2425 * DAY_S;
export const DAY_MS = DAY_S * 1000;
