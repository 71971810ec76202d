/** What is shown as files: answers of the API as CSV, and as Parquet where the receiver can make it. */

import { makeAddress, nameGatewayPath, nameHousePath } from "./api.ts";
import { describeCoverage } from "./coverage.ts";
import { h, setText } from "./dom.ts";
import { texts } from "./locale.ts";
import type { EnergyTable, HouseEntry, ReaderSession } from "./schema.ts";
import type { Span } from "./spans.ts";

type FileFormat = ReaderSession["file_formats"][number];

const NAMES: Record<FileFormat, string> = { csv: "CSV", parquet: "Parquet" };

/** One file: what it is called, which answer it is, and its windows (null: those of the span). */
export interface OfferedFile {
  label: string;
  path: string;
  every: "15m" | null;
}

/** The files of a gateway: its energy in windows and in quarter hours, and its panels. */
export function listGatewayFiles(serial: string): OfferedFile[] {
  return [...listEnergyFiles(nameGatewayPath(serial, "/energy")), { label: texts.exports.panels, path: nameGatewayPath(serial, "/inverters/energy"), every: null }];
}

/** The files of a site of several gateways: its sums, and the panels of each gateway. */
export function listHouseFiles(house: HouseEntry): OfferedFile[] {
  const panels = house.gateways.map((one) => ({
    label: texts.exports.panelsOf(one.name ?? one.gateway), path: nameGatewayPath(one.gateway, "/inverters/energy"), every: null,
  }));
  return [...listEnergyFiles(nameHousePath(house.site, "/energy")), ...panels];
}

function listEnergyFiles(path: string): OfferedFile[] {
  return [{ label: texts.exports.energy, path, every: null }, { label: texts.exports.quarters, path, every: "15m" }];
}

export class ExportsView {
  readonly element: HTMLElement;
  private readonly links: { format: FileFormat; element: HTMLElement }[];
  private readonly coverage = h("p", { class: "coverage" });
  private readonly files: OfferedFile[];
  private readonly name: string;
  private drawn = "";

  /**
   * @param files What is offered.
   * @param name Of the system, for the names of files.
   * @param formats In which the receiver makes files.
   */
  constructor(files: OfferedFile[], name: string, formats: readonly FileFormat[]) {
    this.files = files;
    this.name = makeFileName(name);
    this.links = formats.map((format) => ({ format, element: h("span", { class: "links" }) }));
    this.element = h("div", { class: "exports soft" },
      ...this.links.map(({ format, element }) => h("p", {}, texts.exports.download(NAMES[format]), element)),
      this.coverage, h("p", {}, texts.exports.note));
  }

  /** Offer a span. */
  show(span: Span): void {
    const key = `${span.kind} ${span.date} ${span.isCurrent}`;
    if (key === this.drawn) return;
    this.drawn = key;
    setText(this.coverage, ""); // that of another span
    for (const { format, element } of this.links) element.replaceChildren(...this.makeLinks(span, format));
  }

  /** Say how much of the span is known since the first day with readings (null: that is not known). */
  showCoverage(span: Span, table: EnergyTable, first: string | null): void {
    setText(this.coverage, describeCoverage(table, span, Date.now(), first));
  }

  private makeLinks(span: Span, format: FileFormat): (HTMLElement | string)[] {
    return this.files.flatMap(({ label, path, every }, i) => {
      const stop: Record<string, string> = span.isCurrent ? {} : { stop: span.next };
      const address = makeAddress(path, { every: every ?? span.every, start: span.date, ...stop, format });
      const file = `${this.name}-${span.kind}-${span.date}-${makeFileName(label)}.${format}`;
      const link = h("a", { href: address, download: file, "aria-label": `${label} (${NAMES[format]})` }, label);
      return i === 0 ? [link] : [", ", link];
    });
  }
}

function makeFileName(words: string): string {
  return words.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/-$/, "");
}
