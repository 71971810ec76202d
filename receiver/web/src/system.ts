/** One system on the page: its views, what keeps them fresh, and the day that is shown. */

import { AboutView } from "./about.ts";
import { addAlarms } from "./alarms.ts";
import { ApiError, get, list, nameGatewayPath } from "./api.ts";
import type { AlarmEntry, GatewayEntry, GatewayStatus, HouseholdPower, InverterEntry, MeterEntry, ReaderSession } from "./schema.ts";
import { Banner } from "./banner.ts";
import { Chart } from "./chart.ts";
import { findDay, type Day } from "./day.ts";
import { chooseZone, addDays } from "./days.ts";
import { h, setText } from "./dom.ts";
import { FlowView } from "./flow.ts";
import { readSums, type SiteNow } from "./flows.ts";
import { formatAmount } from "./format.ts";
import { HeaderView, type HeaderActions } from "./header.ts";
import { listNotices } from "./health.ts";
import { listen, type Sums } from "./live.ts";
import { PanelDialog } from "./panel.ts";
import { PanelsView } from "./panels.ts";
import { PhasesView } from "./phases.ts";
import { poll, type Poll } from "./poll.ts";
import { readDayCurve, readDayEnergy, readPanelEnergies, type DayEnergy } from "./queries.ts";
import { TilesView } from "./tiles.ts";

const LINES = [
  { label: "Production", colour: "sun", filled: true },
  { label: "Consumption", colour: "house" },
  { label: "Grid", colour: "grid", dashed: true },
  { label: "Battery", colour: "battery", percent: true },
];
const METERS_S = 5;
const STATUS_S = 15;
const DAY_S = 60;
const PANELS_S = 30;
const PANEL_NEWS_MS = 1_500;
/** Who holds an arrow key down wants to see the day where they let go. */
const STEP_MS = 150;
const SUMS_OLD_MS = 10_000;

export class System {
  private readonly header: HeaderView;
  private readonly banner = new Banner();
  private readonly flow = new FlowView();
  private readonly tiles = new TilesView();
  private readonly curveTitle = h("h2", { id: "curve-title" }, "Today");
  private readonly curve: Chart;
  private readonly panels: PanelsView;
  private readonly dialog = new PanelDialog();
  private readonly phases = new PhasesView();
  private readonly about: AboutView;
  private readonly zone: string;
  private readonly polls: Record<"meters" | "status" | "day" | "panels", Poll>;
  private readonly endings: (() => void)[] = [];
  private readonly lost = new Set<string>();
  private date: string | null = null; // null: today, also after midnight
  private sums: { at: number; values: Sums } | null = null;
  private measured: SiteNow = { production: null, load: null, net: null, battery: null };
  private charge: number | null = null;
  private panelNews = 0;
  private stepped = 0;
  private ended = false;

  private readonly entry: GatewayEntry;
  private readonly session: ReaderSession;
  private readonly askAgain: () => void;

  /**
   * @param root The page.
   * @param gateways All that the session may see.
   * @param entry The one to show.
   * @param session Until when.
   * @param actions What the page does.
   */
  constructor(
    root: HTMLElement, gateways: GatewayEntry[], entry: GatewayEntry, session: ReaderSession,
    actions: { choose(serial: string): void; signOut(): void; askAgain(): void },
  ) {
    this.entry = entry;
    this.session = session;
    this.askAgain = actions.askAgain;
    this.zone = chooseZone(entry.time_zone);
    const headed: HeaderActions = { changeDay: (days) => this.changeDay(days), choose: actions.choose };
    this.header = new HeaderView(gateways, entry, headed);
    this.curve = new Chart(LINES, this.zone);
    this.panels = new PanelsView((panel) => void this.dialog.open(entry.gateway, panel, this.findDay()));
    this.about = new AboutView(actions.signOut);
    const card = h("section", { class: "card curve", "aria-labelledby": "curve-title" }, this.curveTitle, this.curve.element);
    root.replaceChildren(
      this.header.element,
      h("main", {}, this.banner.element,
        h("div", { class: "layout" }, this.flow.element, card, this.tiles.element, this.panels.element,
          this.phases.element, this.about.element)),
      this.dialog.element,
    );
    this.header.showState("waiting");
    this.polls = {
      status: this.startPoll("status", STATUS_S, () => this.readStatus()),
      meters: this.startPoll("meters", METERS_S, () => this.readMeters()),
      day: this.startPoll("day", DAY_S, () => this.readDay()),
      panels: this.startPoll("panels", PANELS_S, () => this.readPanels()),
    };
    this.keepLive();
  }

  /** End everything that this view started. */
  end(): void {
    this.ended = true;
    for (const one of Object.values(this.polls)) one.stop();
    for (const ending of this.endings) ending();
    window.clearTimeout(this.panelNews);
    window.clearTimeout(this.stepped);
    this.curve.destroy();
    this.dialog.destroy();
  }

  private findDay(): Day {
    return findDay(this.date, Date.now(), this.zone);
  }

  private changeDay(days: number): void {
    const day = this.findDay();
    const today = findDay(null, Date.now(), this.zone).date;
    const wanted = Number.isFinite(days) ? addDays(day.date, days) : today;
    this.date = wanted >= today ? null : wanted;
    this.header.showDay(this.findDay());
    window.clearTimeout(this.stepped);
    this.stepped = window.setTimeout(() => {
      this.polls.day.runNow();
      this.polls.panels.runNow();
    }, STEP_MS);
  }

  private startPoll(name: string, seconds: number, work: () => Promise<void>): Poll {
    const workAndNote = async (): Promise<void> => {
      await work();
      this.lost.delete(name);
      this.showState();
    };
    return poll(workAndNote, seconds, (error) => {
      if (error instanceof ApiError && error.status === 401) this.askAgain();
      this.lost.add(name);
      this.showState();
    });
  }

  private keepLive(): void {
    const close = listen(this.entry.gateway, {
      receiveSums: (values) => {
        this.sums = { at: performance.now(), values };
        this.showNow();
      },
      receiveReading: (reading) => {
        if (reading.kind !== "inverter" || this.panelNews) return;
        this.panelNews = window.setTimeout(() => {
          this.panelNews = 0;
          this.polls.panels.runNow();
        }, PANEL_NEWS_MS);
      },
      noteConnection: (yes) => {
        if (yes) return;
        this.sums = null;
        this.showState();
      },
      noteRefusal: () => this.polls.status.runNow(), // which hears whether the session is over
    });
    const handleKeys = (event: KeyboardEvent): void => this.handleKey(event);
    document.addEventListener("keydown", handleKeys);
    const clock = window.setInterval(() => this.showNow(), 2_000);
    this.endings.push(close, () => document.removeEventListener("keydown", handleKeys), () => window.clearInterval(clock));
  }

  private handleKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || this.dialog.element.open) return;
    if (event.target instanceof HTMLElement && event.target.closest("input, select, textarea, .scroll")) return;
    if (event.key === "ArrowLeft") this.changeDay(-1);
    else if (event.key === "ArrowRight") this.changeDay(1);
    else if (event.key === "Home") this.changeDay(Infinity);
    else return;
    event.preventDefault();
  }

  private async readStatus(): Promise<void> {
    const [status, alarms] = await Promise.all([
      get<GatewayStatus>(nameGatewayPath(this.entry.gateway)), this.readAlarms(),
    ]);
    if (this.ended) return;
    this.banner.show(addAlarms(listNotices(status, this.zone), alarms, this.zone));
    this.about.show(status, this.session.expires - Date.now() / 1000);
  }

  /** The alarms; null where the receiver says that it cannot tell. */
  private async readAlarms(): Promise<AlarmEntry[] | null> {
    try {
      return await list<AlarmEntry>(nameGatewayPath(this.entry.gateway, "/alarms"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 503) return null;
      throw error;
    }
  }

  private async readMeters(): Promise<void> {
    const [power, meters] = await Promise.all([
      get<HouseholdPower>(nameGatewayPath(this.entry.gateway, "/power")), list<MeterEntry>(nameGatewayPath(this.entry.gateway, "/meters")),
    ]);
    if (this.ended) return;
    this.phases.show(meters);
    this.measured = { production: power.production_w, load: power.load_w, net: power.net_w, battery: power.battery_w };
    this.charge = power.state_of_charge;
    this.showNow();
  }

  private async readDay(): Promise<void> {
    const day = this.findDay();
    const [curve, energy] = await Promise.all([
      readDayCurve(this.entry.gateway, day), readDayEnergy(this.entry.gateway, day),
    ]);
    if (this.ended || this.findDay().date !== day.date) return;
    this.header.showDay(day);
    setText(this.curveTitle, day.name);
    this.curve.show(curve, day.start / 1000, day.stop / 1000, this.zone, summariseDay(day, energy));
    const passed = (Math.min(Date.now(), day.stop) - day.start) / (day.stop - day.start);
    this.tiles.show(energy, day.name, energy === null ? 0 : energy.coverage / (day.isToday ? passed : 1));
  }

  private async readPanels(): Promise<void> {
    const day = this.findDay();
    const [panels, energies] = await Promise.all([
      list<InverterEntry>(nameGatewayPath(this.entry.gateway, "/inverters")),
      day.isToday ? null : readPanelEnergies(this.entry.gateway, day),
    ]);
    if (this.ended || this.findDay().date !== day.date) return;
    this.panels.show(panels, energies);
  }

  private showNow(): void {
    const sums = this.sums !== null && performance.now() - this.sums.at < SUMS_OLD_MS ? this.sums.values : null;
    if (sums === null) this.flow.show(this.measured, this.lost.size === 0 && Object.values(this.measured).some((power) => power !== null), this.charge);
    else this.flow.show(readSums(sums, this.measured.battery), true, this.charge);
    this.showState();
  }

  private showState(): void {
    const live = this.sums !== null && performance.now() - this.sums.at < SUMS_OLD_MS;
    this.header.showState(live ? "live" : this.lost.size > 0 ? "lost" : "waiting");
  }
}

function summariseDay(day: Day, energy: DayEnergy | null): string {
  if (energy === null) return `${day.name}: nothing was measured.`;
  return `Curve of ${day.name}: ${formatAmount(energy.production, "Wh")} produced, ${formatAmount(energy.load, "Wh")} used, ` +
    `${formatAmount(energy.imported, "Wh")} bought, ${formatAmount(energy.exported, "Wh")} sold.`;
}
