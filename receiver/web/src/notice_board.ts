/** All that needs a person, in one banner, whichever answer says it: the status, the alarms, the roof, its last days. */

import { addAlarms } from "./alarms.ts";
import { Banner } from "./banner.ts";
import { listNotices, type PageNotice } from "./health.ts";
import { listPanelNotices } from "./panel_health.ts";
import type { AlarmEntry, GatewayStatus, InverterEntry } from "./schema.ts";
import type { JudgedDay } from "./weak.ts";

export class NoticeBoard {
  private readonly banner = new Banner();
  readonly element = this.banner.element;
  private readonly zone: string;
  private notices: PageNotice[] = [];
  private source: GatewayStatus["source"] = "gateway";
  private alarms: AlarmEntry[] | null = [];
  private roof: InverterEntry[] = [];
  private days = new Map<string, JudgedDay[]>();

  /** Times are shown in `zone`. */
  constructor(zone: string) {
    this.zone = zone;
  }

  /** Show what the status and the alarms say now; null: nobody knows which alarms fire. */
  showStatus(status: GatewayStatus, alarms: AlarmEntry[] | null): void {
    this.notices = listNotices(status, this.zone);
    this.source = status.source;
    this.alarms = alarms;
    this.show();
  }

  /** Show which panels are silent now. */
  showRoof(panels: InverterEntry[]): void {
    this.roof = panels;
    this.show();
  }

  /** Show which panels were behind in the last days, by serial. */
  showDays(days: Map<string, JudgedDay[]>): void {
    this.days = days;
    this.show();
  }

  private show(): void {
    const weak = new Set(this.alarms?.filter((one) => one.alarm === "panel-weak" && one.state === "firing").map((one) => one.subject));
    const said = [...this.notices, ...listPanelNotices(this.roof, this.days, weak, this.zone)];
    this.banner.show(addAlarms(said, this.alarms, this.zone, this.source));
  }
}
