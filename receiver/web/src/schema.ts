/** Answers of the API. Generated from its published schema: `make page-types` makes it again. */

/**
 * What the answer gives for each window.
 */
export type Aggregate = "mean" | "min" | "max" | "last" | "integral";
/**
 * Which earlier time.
 */
export type Earlier = "before" | "year";
/**
 * What stands for windows in which nothing is known. Their coverage stays 0: filled values are no measurements.
 */
export type Fill = "none" | "null" | "previous" | "linear";
/**
 * How a panel is now.
 *
 * PRODUCING: its last report is young (half an hour) and gives power.
 * IDLE: no power is expected of it (night, or no panel reports), or it reports that it gives nothing.
 * SILENT: it does not report, though its peers do, and give power enough for daylight.
 * GONE: it has not reported for 30 days, or never did.
 */
export type PanelState = "producing" | "idle" | "silent" | "gone";
/**
 * In which order panels stand. What is unknown stands last.
 */
export type PanelOrder = "serial" | "name" | "energy" | "ratio";

/**
 * One alarm. Times are in milliseconds since 1970.
 */
export interface AlarmEntry {
  /**
   * Which alarm it is; see docs/alarms.md.
   */
  alarm:
    | "gateway-silent"
    | "scraper-silent"
    | "backlog-growing"
    | "token-expiring"
    | "certificate-changed"
    | "losses"
    | "panel-dead"
    | "panel-weak"
    | "phase-voltage"
    | "meter-contradicts"
    | "grid-lost"
    | "battery-not-reporting"
    | "disk-nearly-full"
    | "output-behind";
  /**
   * Its name for people.
   */
  title: string;
  /**
   * A critical one is told at any hour.
   */
  severity: "critical" | "warning";
  /**
   * Serial; null if it is about the receiver itself.
   */
  gateway: string | null;
  /**
   * The panel, phase, battery or disk that it is about, or null.
   */
  subject: string | null;
  /**
   * `pending` until it has lasted long enough, then `firing`, then `ended` for a week.
   */
  state: "pending" | "firing" | "ended";
  /**
   * What is (or was) wrong, as a sentence.
   */
  reason: string;
  /**
   * What the reason says, by names that end in the unit, for other languages; not in CSV.
   */
  values: {
    [k: string]: number | string;
  };
  /**
   * What to do.
   */
  advice: string;
  /**
   * Since when it has been so, as far as is known.
   */
  since: number;
  /**
   * When it began to fire, or null.
   */
  began: number | null;
  /**
   * When it ended, or null.
   */
  ended: number | null;
  /**
   * When it was last judged: what cannot be judged now stays as it was then.
   */
  judged: number;
}
/**
 * Mean powers of the last whole hour that cannot both be right.
 */
export interface DoubtedPowersEntry {
  /**
   * By the production meter, W.
   */
  measured_w: number;
  /**
   * By all inverters together, W.
   */
  reported_w: number;
}
/**
 * The energy of the earlier time, whole.
 */
export interface EarlierEnergy {
  which: Earlier;
  /**
   * So many windows of the range are over and count for `changes`; of the earlier time the same number from its first on, or all of them once the range is over.
   */
  compared_windows: number;
  changes: EnergyChanges;
  total: EnergyWindow;
  /**
   * Its windows, of the same calendar.
   */
  windows: EnergyWindow[];
}
/**
 * By how much mean powers changed: 0.1 is a tenth more than in the earlier time; null is unknown.
 */
export interface EnergyChanges {
  /**
   * Of the production.
   */
  production: number | null;
  /**
   * Of the load.
   */
  load: number | null;
  /**
   * Of the imported energy.
   */
  imported: number | null;
  /**
   * Of the exported energy.
   */
  exported: number | null;
  /**
   * Of the discharged energy.
   */
  discharged: number | null;
  /**
   * Of the charged energy.
   */
  charged: number | null;
}
/**
 * One window. Energies in Wh, each at least 0; null is unknown.
 */
export interface EnergyWindow {
  /**
   * First millisecond of it, since 1970.
   */
  start: number;
  /**
   * Its end, which is not part of it, milliseconds since 1970.
   */
  stop: number;
  /**
   * `start` in the time zone of the answer, ISO 8601.
   */
  local_start: string;
  /**
   * It has not ended yet: all it says is of its time so far.
   */
  in_progress: boolean;
  /**
   * Generated, Wh.
   */
  production_wh: number | null;
  /**
   * Used by the house, Wh.
   */
  load_wh: number | null;
  /**
   * Bought from the grid, Wh.
   */
  imported_wh: number | null;
  /**
   * Sold to the grid, Wh.
   */
  exported_wh: number | null;
  /**
   * Out of the battery, Wh.
   */
  discharged_wh: number | null;
  /**
   * Into the battery, Wh.
   */
  charged_wh: number | null;
  /**
   * Share of the production that was used at home, 0 to 1, over the time with known export.
   */
  self_consumption: number | null;
  /**
   * Share of the load that was not bought, 0 to 1, over the time with known import.
   */
  self_sufficiency: number | null;
  /**
   * Price of the imported energy by the site's tariffs, in their currency.
   */
  cost: number | null;
  /**
   * Payment for the exported energy.
   */
  feed_in: number | null;
  /**
   * What the energy produced and used at home would have cost.
   */
  savings: number | null;
  /**
   * Share of the whole window, 0 to 1, in which it is known when that energy flowed.
   */
  production_coverage: number;
  /**
   * The same of the load.
   */
  load_coverage: number;
  /**
   * The same of the imported energy.
   */
  imported_coverage: number;
  /**
   * The same of the exported energy.
   */
  exported_coverage: number;
  /**
   * The same of the discharged energy.
   */
  discharged_coverage: number;
  /**
   * The same of the charged energy.
   */
  charged_coverage: number;
  /**
   * Further energy of gaps that end in this window and began before it, Wh: a coarser window that holds the whole gap counts it.
   */
  production_unallocated_wh: number;
  /**
   * The same of the load, Wh.
   */
  load_unallocated_wh: number;
  /**
   * The same of the imported energy, Wh.
   */
  imported_unallocated_wh: number;
  /**
   * The same of the exported energy, Wh.
   */
  exported_unallocated_wh: number;
  /**
   * The same of the discharged energy, Wh.
   */
  discharged_unallocated_wh: number;
  /**
   * The same of the charged energy, Wh.
   */
  charged_unallocated_wh: number;
  /**
   * The part of `production_wh` that nobody measured here: it was imported from another program, and the coverage does not count it. Null for none.
   */
  production_taken_over_wh: number | null;
  /**
   * The same of the load.
   */
  load_taken_over_wh: number | null;
  /**
   * The same of the energy bought.
   */
  imported_taken_over_wh: number | null;
  /**
   * The same of the energy sold.
   */
  exported_taken_over_wh: number | null;
  /**
   * The same of the discharged energy.
   */
  discharged_taken_over_wh: number | null;
  /**
   * The same of the charged energy.
   */
  charged_taken_over_wh: number | null;
  /**
   * The part of `production_wh` that the linked system of the cloud has put into this window: the energy of a gap, or the cloud's own where no counter says more. The coverage does not count it. Null for none.
   */
  production_filled_wh: number | null;
  /**
   * The same of the load.
   */
  load_filled_wh: number | null;
  /**
   * The same of the energy bought.
   */
  imported_filled_wh: number | null;
  /**
   * The same of the energy sold.
   */
  exported_filled_wh: number | null;
  /**
   * The same of the discharged energy.
   */
  discharged_filled_wh: number | null;
  /**
   * The same of the charged energy.
   */
  charged_filled_wh: number | null;
  /**
   * Where the earliest of those gaps began, milliseconds since 1970.
   */
  unallocated_since: number | null;
  /**
   * Steps in which a lifetime counter fell or jumped; they gave no energy.
   */
  resets: number;
}
/**
 * Data of the event `ended`, the last one of a stream.
 */
export interface EndedView {
  /**
   * `unauthorised`, `forbidden`, `not-found` are final; come back after `too-slow` or `stopping`.
   */
  reason: string;
}
/**
 * The energy of a range.
 */
export interface EnergyTable {
  /**
   * Serial.
   */
  gateway: string;
  /**
   * Length of the windows.
   */
  every: "15m" | "1h" | "1d" | "1w" | "1mo" | "1y" | "billing";
  /**
   * The time zone whose calendar the windows follow.
   */
  time_zone: string;
  total: EnergyWindow;
  /**
   * Every whole window that touches the range, up to the one in progress.
   */
  windows: EnergyWindow[];
  compared?: EarlierEnergy;
}
/**
 * One gateway in the list. Times are in milliseconds since 1970.
 */
export interface GatewayEntry {
  /**
   * Serial.
   */
  gateway: string;
  /**
   * As the sites file says, or null.
   */
  name: string | null;
  /**
   * IANA name of the zone whose days and hours count.
   */
  time_zone: string;
  /**
   * Newest reading of any kind, milliseconds since 1970.
   */
  last_timestamp: number;
  /**
   * Age of the newest reading, s.
   */
  age_seconds: number;
  /**
   * As the gateway states it.
   */
  firmware: string | null;
  /**
   * Rights of the scraper's login.
   */
  role: string | null;
  /**
   * How many inverters have reported.
   */
  inverters: number;
  /**
   * How many phases of meters have reported.
   */
  meters: number;
  /**
   * Who says the time zone: the sites file, else the gateway, else the receiver's machine.
   */
  time_zone_source: "sites-file" | "gateway" | "receiver";
  /**
   * Of amounts of money, as the sites file says (e.g. EUR), or null.
   */
  currency: string | null;
  /**
   * Where its readings come from: a gateway at home, or intervals of Enphase's cloud.
   */
  source: "gateway" | "cloud";
}
/**
 * How one gateway and its scraper are, and what the household does now and did today.
 */
export interface GatewayStatus {
  /**
   * Serial.
   */
  gateway: string;
  /**
   * As the sites file says, or null.
   */
  name: string | null;
  /**
   * IANA name of the zone whose days and hours count.
   */
  time_zone: string;
  /**
   * Newest reading of any kind, milliseconds since 1970.
   */
  last_timestamp: number;
  /**
   * Age of the newest reading, s.
   */
  age_seconds: number;
  /**
   * As the gateway states it.
   */
  firmware: string | null;
  /**
   * Rights of the scraper's login.
   */
  role: string | null;
  /**
   * How many inverters have reported.
   */
  inverters: number;
  /**
   * How many phases of meters have reported.
   */
  meters: number;
  /**
   * Who says the time zone: the sites file, else the gateway, else the receiver's machine.
   */
  time_zone_source: "sites-file" | "gateway" | "receiver";
  /**
   * Of amounts of money, as the sites file says (e.g. EUR), or null.
   */
  currency: string | null;
  /**
   * Where its readings come from: a gateway at home, or intervals of Enphase's cloud.
   */
  source: "gateway" | "cloud";
  /**
   * Latest fields of kind `gateway`, as the scraper sent them (see the field dictionary).
   */
  status: {
    [k: string]: number | string;
  };
  /**
   * Age of `status`, s; null if the scraper has sent none.
   */
  status_age_seconds: number | null;
  /**
   * How old the newest reading was when it arrived, s; null until a batch has come since the receiver started.
   */
  delivery_lag_seconds: number | null;
  /**
   * Start of a gap that has not ended, milliseconds since 1970, or null.
   */
  open_gap_since: number | null;
  /**
   * Sentences about meters that cannot be right, with the remedy.
   */
  meter_doubts: string[];
  /**
   * What those sentences rest on, in their order, for other languages.
   */
  doubted_powers: DoubtedPowersEntry[];
  /**
   * The meters, with the roles of the sites file.
   */
  meter_names: string[];
  inverter_states: InverterStates;
  power: HouseholdPower;
  today: EnergyWindow;
}
/**
 * How many panels are in each state; see `/inverters`.
 */
export interface InverterStates {
  producing: number;
  idle: number;
  silent: number;
  gone: number;
}
/**
 * The household now, in W, from the meters' values of the last two minutes; null is unknown.
 *
 * Of a system that is read through the cloud: the mean production of its newest interval, for three hours.
 */
export interface HouseholdPower {
  /**
   * Generation, W.
   */
  production_w: number | null;
  /**
   * What the house uses, W.
   */
  load_w: number | null;
  /**
   * From the grid, W: + import, - export.
   */
  net_w: number | null;
  /**
   * Bought, W, netted as the site is billed; at least 0.
   */
  imported_w: number | null;
  /**
   * Sold, W; at least 0.
   */
  exported_w: number | null;
  /**
   * W: + discharge, - charge.
   */
  battery_w: number | null;
  /**
   * How full the batteries are together, %.
   */
  state_of_charge: number | null;
  /**
   * `connected`, `islanded` or `generator`; null without a system controller.
   */
  grid_mode: string | null;
  /**
   * Why the load is null; null where it is known, or no meter of the consumption speaks.
   */
  load_unknown:
    | (
        | "battery-power-unknown"
        | "generator-runs"
        | "total-meter-beside-battery"
        | "phase-silent"
        | "production-unknown"
        | "meters-contradict"
      )
    | null;
  /**
   * Of the newest value in it, milliseconds since 1970; null if there is none.
   */
  timestamp: number | null;
  /**
   * Age of that value, s.
   */
  age_seconds: number | null;
}
/**
 * The energy of a site over a range.
 */
export interface HouseEnergyTable {
  /**
   * Its name in the sites file.
   */
  site: string;
  /**
   * Length of the windows.
   */
  every: "15m" | "1h" | "1d" | "1w" | "1mo" | "1y" | "billing";
  /**
   * The time zone whose calendar the windows follow.
   */
  time_zone: string;
  total: EnergyWindow;
  /**
   * Gateways that are silent: from then on the sums are unknown.
   */
  silent: SilentGateway[];
  /**
   * Every whole window that touches the range, up to the one in progress.
   */
  windows: EnergyWindow[];
}
/**
 * A gateway of a site that is silent: what the whole site does is unknown until it is back.
 */
export interface SilentGateway {
  /**
   * Serial.
   */
  gateway: string;
  /**
   * As the sites file says, or null.
   */
  name: string | null;
  /**
   * Milliseconds since 1970; null if it was never heard of.
   */
  since: number | null;
  /**
   * The same for people.
   */
  sentence: string;
}
/**
 * One site in the list.
 */
export interface HouseEntry {
  /**
   * Its name in the sites file.
   */
  site: string;
  /**
   * IANA name of its zone; null where its gateways say different zones.
   */
  time_zone: string | null;
  /**
   * Of its prices, by ISO 4217, as the sites file says of all of its tariffs, or null.
   */
  currency: string | null;
  /**
   * By serial.
   */
  gateways: HouseGatewayEntry[];
  /**
   * Those of them that are silent.
   */
  silent: SilentGateway[];
}
/**
 * One gateway of a site.
 */
export interface HouseGatewayEntry {
  /**
   * Serial.
   */
  gateway: string;
  /**
   * As the sites file says, or null.
   */
  name: string | null;
  /**
   * Newest reading of any kind, milliseconds since 1970; null for none.
   */
  last_timestamp: number | null;
  /**
   * Age of the newest reading, s.
   */
  age_seconds: number | null;
}
/**
 * The whole site now, in W; null is unknown.
 */
export interface HousePower {
  /**
   * Generation, W.
   */
  production_w: number | null;
  /**
   * What the house uses, W.
   */
  load_w: number | null;
  /**
   * From the grid, W: + import, - export.
   */
  net_w: number | null;
  /**
   * Bought, W, netted as the site is billed; at least 0.
   */
  imported_w: number | null;
  /**
   * Sold, W; at least 0.
   */
  exported_w: number | null;
  /**
   * W: + discharge, - charge.
   */
  battery_w: number | null;
  /**
   * How full the batteries are together, %.
   */
  state_of_charge: number | null;
  /**
   * `connected`, `islanded` or `generator`; null without a system controller.
   */
  grid_mode: string | null;
  /**
   * Why the load is null; null where it is known, or no meter of the consumption speaks.
   */
  load_unknown:
    | (
        | "battery-power-unknown"
        | "generator-runs"
        | "total-meter-beside-battery"
        | "phase-silent"
        | "production-unknown"
        | "meters-contradict"
      )
    | null;
  /**
   * Of the newest value in it, milliseconds since 1970; null if there is none.
   */
  timestamp: number | null;
  /**
   * Age of that value, s.
   */
  age_seconds: number | null;
  /**
   * Gateways that are silent, for which sums are null.
   */
  silent: SilentGateway[];
}
/**
 * One panel, its values now, and its last days.
 */
export interface InverterDetail {
  /**
   * What people call it.
   */
  name?: string;
  /**
   * The group that it belongs to.
   */
  array?: string;
  /**
   * Its place in the array, from 1 at the top.
   */
  row?: number;
  /**
   * Its place in the row, from 1 at the left.
   */
  column?: number;
  /**
   * Where it faces, in degrees clockwise from north.
   */
  azimuth?: number;
  /**
   * Degrees from lying flat to upright.
   */
  tilt?: number;
  /**
   * Serial of its inverter.
   */
  inverter: string;
  /**
   * Of its last report, milliseconds since 1970; null if it never reported.
   */
  timestamp: number | null;
  /**
   * Age of its last report, s.
   */
  age_seconds: number | null;
  /**
   * Whether that report still speaks of now, as in `/power`.
   */
  speaks: boolean;
  state: PanelState;
  /**
   * W, mean over its reporting interval.
   */
  power?: number;
  /**
   * W, the highest that the gateway has ever seen.
   */
  max_power?: number;
  /**
   * Wh.
   */
  energy_lifetime?: number;
  /**
   * Wh, as the gateway counts it.
   */
  energy_today?: number;
  /**
   * V.
   */
  ac_voltage?: number;
  /**
   * V.
   */
  dc_voltage?: number;
  /**
   * A.
   */
  ac_current?: number;
  /**
   * A.
   */
  dc_current?: number;
  /**
   * Hz.
   */
  frequency?: number;
  /**
   * Degrees Celsius.
   */
  temperature?: number;
  /**
   * Strength of the power-line signal.
   */
  rssi?: number;
  /**
   * Length of its reporting interval, s.
   */
  interval?: number;
  /**
   * Median of what the other panels of its array give now, W; null if none of them reports.
   */
  peers_power: number | null;
  /**
   * Of its oldest report that is kept, milliseconds since 1970.
   */
  first_timestamp: number | null;
  panel: PanelData;
  /**
   * The day in progress; null before its first report. At most a quarter of an hour old.
   */
  today: PanelDay | null;
  /**
   * The last 30 days, as far as they are known, the oldest first.
   */
  days: PanelDay[];
}
/**
 * Everything that the sites file says of a panel.
 */
export interface PanelData {
  /**
   * What people call it.
   */
  name?: string;
  /**
   * The group that it belongs to.
   */
  array?: string;
  /**
   * Its place in the array, from 1 at the top.
   */
  row?: number;
  /**
   * Its place in the row, from 1 at the left.
   */
  column?: number;
  /**
   * Where it faces, in degrees clockwise from north.
   */
  azimuth?: number;
  /**
   * Degrees from lying flat to upright.
   */
  tilt?: number;
  /**
   * Its rating, W.
   */
  rated_watts?: number;
}
/**
 * What a panel made of one day; null is unknown.
 */
export interface PanelDay {
  /**
   * First millisecond of it, since 1970.
   */
  start: number;
  /**
   * Its end, which is not part of it, milliseconds since 1970.
   */
  stop: number;
  /**
   * `start` in the time zone of the answer, ISO 8601.
   */
  local_start: string;
  /**
   * It has not ended yet: all it says is of its time so far.
   */
  in_progress: boolean;
  /**
   * Its energy, Wh.
   */
  energy_wh: number | null;
  /**
   * Median of the other panels of its array, Wh.
   */
  peers_wh: number | null;
  /**
   * Its energy by that of its peers; 1 is as good as they are.
   */
  ratio: number | null;
  /**
   * Its highest power, W.
   */
  peak_w: number | null;
  /**
   * Minutes at the inverter's limit.
   */
  clipping_minutes: number | null;
  /**
   * Share of the whole day in which its power is known, 0 to 1.
   */
  coverage: number;
  /**
   * How many reports of the day there are.
   */
  reports: number;
  /**
   * Of the last report of the day, milliseconds since 1970.
   */
  last_timestamp: number | null;
}
/**
 * One panel and the latest values of its inverter; what it does not report is absent.
 */
export interface InverterEntry {
  /**
   * What people call it.
   */
  name?: string;
  /**
   * The group that it belongs to.
   */
  array?: string;
  /**
   * Its place in the array, from 1 at the top.
   */
  row?: number;
  /**
   * Its place in the row, from 1 at the left.
   */
  column?: number;
  /**
   * Where it faces, in degrees clockwise from north.
   */
  azimuth?: number;
  /**
   * Degrees from lying flat to upright.
   */
  tilt?: number;
  /**
   * Serial of its inverter.
   */
  inverter: string;
  /**
   * Of its last report, milliseconds since 1970; null if it never reported.
   */
  timestamp: number | null;
  /**
   * Age of its last report, s.
   */
  age_seconds: number | null;
  /**
   * Whether that report still speaks of now, as in `/power`.
   */
  speaks: boolean;
  state: PanelState;
  /**
   * W, mean over its reporting interval.
   */
  power?: number;
  /**
   * W, the highest that the gateway has ever seen.
   */
  max_power?: number;
  /**
   * Wh.
   */
  energy_lifetime?: number;
  /**
   * Wh, as the gateway counts it.
   */
  energy_today?: number;
  /**
   * V.
   */
  ac_voltage?: number;
  /**
   * V.
   */
  dc_voltage?: number;
  /**
   * A.
   */
  ac_current?: number;
  /**
   * A.
   */
  dc_current?: number;
  /**
   * Hz.
   */
  frequency?: number;
  /**
   * Degrees Celsius.
   */
  temperature?: number;
  /**
   * Strength of the power-line signal.
   */
  rssi?: number;
  /**
   * Length of its reporting interval, s.
   */
  interval?: number;
}
/**
 * What a pasted layout says of panels. Nothing of it is written yet.
 */
export interface LayoutPanels {
  /**
   * By the serial of the inverter.
   */
  panels: {
    [k: string]: PanelData;
  };
}
/**
 * Energies since the gateway began to count, Wh; none of them ever falls; null is unknown.
 */
export interface LifetimeEnergy {
  /**
   * Generated, Wh.
   */
  production_wh: number | null;
  /**
   * Used by the house, Wh.
   */
  load_wh: number | null;
  /**
   * Bought from the grid, netted as the site is billed, Wh.
   */
  imported_wh: number | null;
  /**
   * Sold to the grid, netted as the site is billed, Wh.
   */
  exported_wh: number | null;
  /**
   * Out of the battery, Wh.
   */
  discharged_wh: number | null;
  /**
   * Into the battery, Wh.
   */
  charged_wh: number | null;
  /**
   * What each panel made, Wh, by its serial.
   */
  panels_wh: {
    [k: string]: number | null;
  };
  /**
   * Of the oldest counter in it, milliseconds since 1970; null if no meter has ever reported.
   */
  timestamp: number | null;
  /**
   * Age of that counter, s.
   */
  age_seconds: number | null;
}
/**
 * Data of the event `reading`: a reading as it was stored, without the corrections of the sites file.
 *
 * The hub sends the reading itself (`shared.readings.Reading`), which knows nothing of the API: a test compares them.
 */
export interface LiveReading {
  /**
   * What it is of: a kind of the field dictionary.
   */
  kind: string;
  /**
   * What it belongs to, e.g. meter and phase.
   */
  tags: {
    [k: string]: string;
  };
  /**
   * Milliseconds since 1970.
   */
  timestamp: number;
  /**
   * What changed, in the units of the field dictionary.
   */
  fields: {
    [k: string]: number | string;
  };
}
/**
 * One phase of one meter; what it does not report is absent. Units and signs: see the field dictionary.
 */
export interface MeterEntry {
  /**
   * What it measures: `production`, `net-consumption`, `total-consumption`, `storage`.
   */
  meter: string;
  /**
   * `a`, `b` or `c`.
   */
  phase: string;
  /**
   * Of its newest reading, milliseconds since 1970.
   */
  timestamp: number;
  /**
   * Age of its newest reading, s.
   */
  age_seconds: number;
  /**
   * Whether that reading still speaks of now, as in `/power`.
   */
  speaks: boolean;
  /**
   * W.
   */
  power?: number;
  /**
   * var.
   */
  reactive_power?: number;
  /**
   * VA.
   */
  apparent_power?: number;
  /**
   * V.
   */
  voltage?: number;
  /**
   * A.
   */
  current?: number;
  /**
   * -1 to 1.
   */
  power_factor?: number;
  /**
   * Hz.
   */
  frequency?: number;
  /**
   * 1 if its newest answer had a power, else 0.
   */
  measured?: number;
}
/**
 * What a token would let a browser see, and what that sees now.
 */
export interface OfferedSession {
  /**
   * Serials, or null for every gateway.
   */
  gateways: string[] | null;
  /**
   * End of the token, seconds since 1970.
   */
  expires: number;
  /**
   * `read`, or `owner`, who may also say where panels are.
   */
  scope: "read" | "owner";
  /**
   * In which forms this receiver makes files: `csv`, and `parquet` where pyarrow is installed.
   */
  file_formats: ("csv" | "parquet")[];
  /**
   * What the cookie of the same request shows, which the token would replace; null where it has none that is good, or came without an Authorization header.
   */
  present: ReaderSession | null;
}
/**
 * What a reader may see.
 */
export interface ReaderSession {
  /**
   * Serials, or null for every gateway.
   */
  gateways: string[] | null;
  /**
   * End of the token, seconds since 1970.
   */
  expires: number;
  /**
   * `read`, or `owner`, who may also say where panels are.
   */
  scope: "read" | "owner";
  /**
   * In which forms this receiver makes files: `csv`, and `parquet` where pyarrow is installed.
   */
  file_formats: ("csv" | "parquet")[];
}
/**
 * One panel in all windows.
 */
export interface PanelEnergyEntry {
  /**
   * What people call it.
   */
  name?: string;
  /**
   * The group that it belongs to.
   */
  array?: string;
  /**
   * Its place in the array, from 1 at the top.
   */
  row?: number;
  /**
   * Its place in the row, from 1 at the left.
   */
  column?: number;
  /**
   * Where it faces, in degrees clockwise from north.
   */
  azimuth?: number;
  /**
   * Degrees from lying flat to upright.
   */
  tilt?: number;
  /**
   * Serial of its inverter.
   */
  inverter: string;
  /**
   * Of all windows together, Wh; null is unknown.
   */
  total_wh: number | null;
  /**
   * Its energy by that of its peers over the days that the windows touch, as far as both are known; 1 is as good as they are.
   */
  ratio: number | null;
  /**
   * Of each window, in their order, Wh; null is unknown.
   */
  energy_wh: (number | null)[];
  /**
   * Share of each whole window in which its power is known, 0 to 1.
   */
  coverage: number[];
}
/**
 * The energy of all panels.
 */
export interface PanelEnergyTable {
  /**
   * Serial.
   */
  gateway: string;
  /**
   * Length of the windows.
   */
  every: "15m" | "1h" | "1d" | "1w" | "1mo" | "1y";
  /**
   * The time zone whose calendar the windows follow.
   */
  time_zone: string;
  /**
   * Every whole window that touches the range, up to the one in progress.
   */
  windows: WindowEntry[];
  /**
   * In the order that was asked for; those that belonged to the site in this time.
   */
  panels: PanelEnergyEntry[];
}
/**
 * One window of time.
 */
export interface WindowEntry {
  /**
   * First millisecond of it, since 1970.
   */
  start: number;
  /**
   * Its end, which is not part of it, milliseconds since 1970.
   */
  stop: number;
  /**
   * `start` in the time zone of the answer, ISO 8601.
   */
  local_start: string;
  /**
   * It has not ended yet: all it says is of its time so far.
   */
  in_progress: boolean;
}
/**
 * What the sites file says of the panels of a gateway, and whether the receiver can write into it.
 */
export interface PanelPlaces {
  /**
   * By the serial of the inverter.
   */
  panels: {
    [k: string]: PanelData;
  };
  /**
   * Names the content of the file: a change must name it, too.
   */
  version: string;
  /**
   * Why the file cannot be written, and what to do; null if it can be.
   */
  obstacle: string | null;
  /**
   * Whether comments of the file stay when it is written.
   */
  keeps_comments: boolean;
}
/**
 * What is known of the series that were asked for.
 */
export interface SeriesAnswer {
  /**
   * Serial.
   */
  gateway: string;
  /**
   * As asked; hours in place of minutes that have expired.
   */
  kind: string;
  /**
   * As asked.
   */
  field: string;
  /**
   * The time zone whose local times and calendar count.
   */
  time_zone: string;
  /**
   * First instant that was asked for, milliseconds since 1970.
   */
  start: number;
  /**
   * First instant that is out, milliseconds since 1970.
   */
  stop: number;
  /**
   * Of the values; empty for none.
   */
  unit: string;
  /**
   * Length of the windows, or null for single points.
   */
  every: string | null;
  /**
   * What `value` says of each window, or null.
   */
  aggregate: Aggregate | null;
  /**
   * Why it is coarser than asked, as a sentence; null: it is not.
   */
  note: string | null;
  /**
   * With single points: give it as `after` for the next page; null for the last one. Null with windows.
   */
  next: number | null;
  /**
   * By tags; with single points, those that have any.
   */
  series: SeriesEntry[];
}
/**
 * One series, or a sum of several.
 */
export interface SeriesEntry {
  tags: {
    [k: string]: string;
  };
  /**
   * Only with `every`.
   */
  windows?: SeriesWindow[];
  /**
   * Only without `every`.
   */
  points?: SeriesPoint[];
}
/**
 * One window.
 */
export interface SeriesWindow {
  /**
   * First millisecond, since 1970.
   */
  start: number;
  /**
   * Its end, which is not part of it, milliseconds since 1970.
   */
  stop: number;
  /**
   * In the unit of the answer; null is unknown.
   */
  value: number | string | null;
  /**
   * Share of the window, 0 to 1, in which the value is known, and of which alone it speaks.
   */
  coverage: number;
  /**
   * Of counters: further increase in a gap that ends in this window and began before it.
   */
  unallocated?: number;
}
/**
 * One stored value.
 */
export interface SeriesPoint {
  /**
   * Milliseconds since 1970; of roll-ups, the start of their window.
   */
  timestamp: number;
  value: number | string;
}
/**
 * Data of the event `solar_data`: the household of this second, in whole watts.
 */
export interface SolarData {
  /**
   * Production, W.
   */
  p: number;
  /**
   * Consumption, W.
   */
  c: number;
  /**
   * What comes from the grid, W; below zero: goes there.
   */
  n: number;
}
