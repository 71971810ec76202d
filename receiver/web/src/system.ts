/** One system on the page: its views, and what keeps them fresh. */

import { AboutView } from "./about.ts";
import { ApiError, get, list, listAlarms, nameGatewayPath } from "./api.ts";
import type { EnergyTable, GatewayEntry, GatewayStatus, HouseholdPower, InverterEntry, MeterEntry, ReaderSession } from "./schema.ts";
import type { Curves } from "./chart.ts";
import { compareSpan } from "./comparison.ts";
import { CurveCard } from "./curve_card.ts";
import { chooseZone, findDate } from "./days.ts";
import { h } from "./dom.ts";
import { ExportsView, listGatewayFiles } from "./exports.ts";
import { describeFailure, nameWorst } from "./failures.ts";
import { FlowView } from "./flow.ts";
import { readSums, type SiteNow } from "./flows.ts";
import { formatAge } from "./format.ts";
import { HeaderView, nameSystem } from "./header.ts";
import { isKnown } from "./known.ts";
import { REPORT_LATE_S } from "./limits.ts";
import { listen, type Sums } from "./live.ts";
import { texts } from "./locale.ts";
import { NoticeBoard } from "./notice_board.ts";
import { PanelDialog } from "./panel.ts";
import { PanelsView } from "./panels.ts";
import { Navigator } from "./navigator.ts";
import { hasHouseMeter, PhasesView } from "./phases.ts";
import { poll, type Poll } from "./poll.ts";
import { readDayCurve, readEnergy, readJudgedDays, readPanelEnergies, readQuarterCurve } from "./queries.ts";
import { openRoofEditor } from "./roof_editing.ts";
import { describeRoof } from "./sleep.ts";
import { computeKnownShare, findSpan, KINDS, type Span } from "./spans.ts";
import { TilesView } from "./tiles.ts";
import { TimesView } from "./times.ts";

const METERS_S = 5;
const STATUS_S = 15;
const SPAN_S = 60;
const PANELS_S = 30;
const KNOWN_S = 300;
const JUDGED_S = 900;
const PANEL_NEWS_MS = 1_500;
const SUMS_OLD_MS = 10_000;

export class System {
  private readonly header: HeaderView;
  private readonly times: TimesView;
  private readonly board: NoticeBoard;
  private readonly flow = new FlowView();
  private readonly tiles: TilesView;
  private readonly curve: CurveCard;
  private readonly navigator: Navigator;
  private readonly exports: ExportsView;
  private readonly panels: PanelsView;
  private readonly dialog = new PanelDialog();
  private readonly phases = new PhasesView();
  private readonly about: AboutView;
  private readonly zone: string;
  private readonly polls: Record<"meters" | "status" | "span" | "panels" | "known" | "judged", Poll>;
  private readonly endings: (() => void)[] = [];
  /** What failed, and what is said of it. */
  private readonly lost = new Map<string, string>();
  private sums: { at: number; values: Sums } | null = null;
  private measured: SiteNow = { production: null, load: null, net: null, battery: null };
  private charge: number | null = null;
  private valuesAge: number | null = null; // s, of what was measured
  private isHouseMeasured = true; // until it is known that no meter of it is there
  private isHeard = false;
  private panelNews = 0;
  private ended = false;

  private readonly entry: GatewayEntry;
  private readonly isOfCloud: boolean; // by intervals: nothing of it is live
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
    actions: { choose(serial: string | null): void; signOut(): void; askAgain(): void },
  ) {
    this.entry = entry;
    this.isOfCloud = entry.source === "cloud";
    this.session = session;
    this.askAgain = actions.askAgain;
    this.zone = chooseZone(entry.time_zone);
    this.board = new NoticeBoard(this.zone);
    this.navigator = new Navigator([entry.gateway], this.zone, KINDS, () => this.showSpan(), () => {
      this.polls.span.runNow();
      this.polls.panels.runNow();
    });
    this.times = new TimesView(KINDS, this.navigator);
    this.header = new HeaderView(gateways, entry, this.times, actions.choose);
    this.tiles = new TilesView(entry.currency);
    this.curve = new CurveCard(this.zone, entry.currency, (date) => this.navigator.openBar(date));
    const openEditor = (panels: InverterEntry[]): void => void openRoofEditor(entry.gateway, panels, () => this.polls.panels.runNow());
    this.panels = new PanelsView((panel) => this.openPanel(panel), session.scope === "owner" ? openEditor : null);
    this.exports = new ExportsView(listGatewayFiles(entry.gateway), nameSystem(entry), session.file_formats);
    this.tiles.element.append(this.exports.element);
    this.about = new AboutView(actions.signOut);
    root.replaceChildren(
      this.header.element,
      h("main", {}, this.board.element,
        h("div", { class: "layout" }, this.flow.element, this.curve.element, this.tiles.element, this.panels.element,
          this.phases.element, this.about.element)),
      this.dialog.element,
    );
    this.header.showState("waiting");
    this.showSpan();
    this.polls = {
      status: this.startPoll("status", STATUS_S, () => this.readStatus()),
      meters: this.startPoll("meters", METERS_S, () => this.readMeters()),
      known: this.startPoll("known", KNOWN_S, () => this.readKnown()),
      span: this.startPoll("span", SPAN_S, () => this.readSpan()),
      panels: this.startPoll("panels", PANELS_S, () => this.readPanels()),
      judged: this.startPoll("judged", JUDGED_S, () => this.readJudged()),
    };
    this.keepLive();
  }

  /** End everything that this view started. */
  end(): void {
    this.ended = true;
    for (const one of Object.values(this.polls)) one.stop();
    for (const ending of this.endings) ending();
    window.clearTimeout(this.panelNews);
    this.navigator.end();
    this.curve.destroy();
    this.dialog.destroy();
  }

  private showSpan(): void {
    this.exports.show(this.navigator.findSpan());
    this.times.show(this.navigator.findSpan(), this.navigator.known.first, findDate(Date.now(), this.zone));
  }

  /** The dialog compares a day: the one that is shown, else today. */
  private openPanel(panel: InverterEntry): void {
    const span = this.navigator.findSpan();
    void this.dialog.open(this.entry.gateway, panel, span.kind === "day" ? span : findSpan("day", null, Date.now(), this.zone, null));
  }

  private startPoll(name: string, seconds: number, work: () => Promise<void>): Poll {
    const workAndNote = async (): Promise<void> => {
      await work();
      this.lost.delete(name);
      this.showState();
    };
    return poll(workAndNote, seconds, (error) => {
      if (error instanceof ApiError && error.status === 401) this.askAgain();
      this.lost.set(name, describeFailure(error));
      this.showState();
    });
  }

  private keepLive(): void {
    const close = this.isOfCloud ? () => undefined : listen(this.entry.gateway, {
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
    const handleKeys = (event: KeyboardEvent): void => {
      if (!this.dialog.element.open) this.navigator.handleKey(event);
    };
    document.addEventListener("keydown", handleKeys);
    const clock = window.setInterval(() => this.showNow(), 2_000);
    this.endings.push(close, () => document.removeEventListener("keydown", handleKeys), () => window.clearInterval(clock));
  }

  private async readStatus(): Promise<void> {
    const [status, alarms] = await Promise.all([
      get<GatewayStatus>(nameGatewayPath(this.entry.gateway)), listAlarms(this.entry.gateway),
    ]);
    if (this.ended) return;
    const isHeard = status.status_age_seconds !== null && status.status_age_seconds <= REPORT_LATE_S;
    if (isHeard !== this.isHeard) this.polls.panels.runNow(); // whether the roof sleeps depends on it
    this.isHeard = isHeard;
    this.board.showStatus(status, alarms);
    this.about.show(status, this.session.expires - Date.now() / 1000);
  }

  private async readMeters(): Promise<void> {
    const [power, meters] = await Promise.all([
      get<HouseholdPower>(nameGatewayPath(this.entry.gateway, "/power")), list<MeterEntry>(nameGatewayPath(this.entry.gateway, "/meters")),
    ]);
    if (this.ended) return;
    this.phases.show(meters);
    this.measured = { production: power.production_w, load: power.load_w, net: power.net_w, battery: power.battery_w };
    this.charge = power.state_of_charge;
    this.valuesAge = power.age_seconds;
    this.isHouseMeasured = hasHouseMeter(meters) || power.load_w !== null;
    this.showNow();
  }

  private async readJudged(): Promise<void> {
    const days = await readJudgedDays(this.entry.gateway, this.zone);
    if (!this.ended) this.board.showDays(days);
  }

  private async readKnown(): Promise<void> {
    await this.navigator.readKnown();
    if (!this.ended) this.showSpan();
  }

  private async readSpan(): Promise<void> {
    const span = this.navigator.findSpan();
    if (span.kind === "all" && this.navigator.known.first === null) await this.navigator.known.readFirst();
    const asked = this.navigator.findSpan();
    const [curve, table] = await Promise.all([
      asked.kind === "day" ? this.readCurve(asked) : null, readEnergy(this.entry.gateway, asked),
    ]);
    if (this.ended || !this.navigator.isShown(asked)) return;
    this.showSpan();
    const whole = table.windows.length === 1 ? table.windows[0]! : table.total;
    const energy = isKnown(whole) ? whole : null;
    if (curve === null) this.curve.showSpan(asked, table);
    else this.curve.showDay(asked, curve, energy);
    const coverage = Math.max(whole.production_coverage, whole.load_coverage);
    this.tiles.show(energy, asked, computeKnownShare(coverage, asked, Date.now(), this.navigator.known.first), this.isHouseMeasured);
    this.exports.showCoverage(asked, table, this.navigator.known.first);
    await this.compare(asked, table);
  }

  private async readCurve(day: Span): Promise<Curves> {
    return await (this.isOfCloud ? readQuarterCurve : readDayCurve)(this.entry.gateway, day);
  }

  private async compare(span: Span, table: EnergyTable): Promise<void> {
    const found = await compareSpan(table, span, (other) => readEnergy(this.entry.gateway, other));
    if (!this.ended && this.navigator.isShown(span)) this.tiles.compare(found);
  }

  private async readPanels(): Promise<void> {
    const span = this.navigator.findSpan();
    const isNow = span.kind === "day" && span.isCurrent;
    const [panels, energies] = await Promise.all([
      list<InverterEntry>(nameGatewayPath(this.entry.gateway, "/inverters")),
      isNow ? null : readPanelEnergies(this.entry.gateway, span),
    ]);
    if (this.ended || !this.navigator.isShown(span)) return;
    const witness = { isHeard: this.isHeard, production: this.measured.production };
    this.board.showRoof(panels);
    this.panels.show(panels, energies, describeRoof(panels, witness, this.zone, Date.now()));
  }

  private showNow(): void {
    const sums = this.sums !== null && performance.now() - this.sums.at < SUMS_OLD_MS ? this.sums.values : null;
    if (sums === null) this.flow.show(this.measured, this.lost.size === 0 && Object.values(this.measured).some((power) => power !== null), this.charge, this.isHouseMeasured);
    else this.flow.show(readSums(sums, this.measured.battery), true, this.charge, this.isHouseMeasured);
    this.showState();
  }

  private showState(): void {
    const sums = this.sums !== null && performance.now() - this.sums.at < SUMS_OLD_MS;
    const isYoung = !this.isOfCloud && !this.isHouseMeasured && this.valuesAge !== null && this.valuesAge * 1000 < SUMS_OLD_MS; // no sums without a house
    const age = this.valuesAge === null ? null : formatAge(this.valuesAge);
    const last = this.isOfCloud ? texts.header.cloud(age) : !this.isHouseMeasured && age !== null ? texts.header.lastValues(age) : null;
    this.header.showState(sums ? "live" : this.lost.size > 0 ? "lost" : isYoung ? "live" : "waiting", last, nameWorst(this.lost.values()));
  }
}
