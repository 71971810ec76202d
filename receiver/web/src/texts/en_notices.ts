/** What needs a person, in English. */

import type { AlarmEntry } from "../schema.ts";

interface AlarmWords {
  title: string;
  /** With the names of its values in braces: {gateway}, {subject}, and those that the receiver gives. */
  reason: string;
  /** Instead, where it is about the receiver itself. */
  ofReceiver?: string;
  advice: string;
  /** Instead, where it is about a system of the cloud. */
  ofCloud?: { title: string; reason: string; advice: string };
}

export const EN_NOTICES = {
  notices: {
    certificate: {
      title: "The gateway shows another certificate",
      advice: "No password is sent to it until you accept it. If it was replaced or updated, run: envoy-scraper trust",
    },
    login: {
      title: "The login at the gateway is stopped",
      advice: "Its token or password was refused. On the scraper, run: envoy-scraper check",
    },
    cloudLogin: {
      title: "Reading from the cloud is stopped",
      advice: "The owner's approval is missing or was refused, or the application's keys were. On the scraper, run: envoy-scraper check. "
        + "A new approval is given with: envoy-scraper cloud authorise",
    },
    silent: {
      title: "The scraper is silent",
      never: "It has not reported yet. Check that it runs and reaches this receiver.",
      last: (age: string) => `Its last report came ${age}. Check that it runs and reaches this receiver.`,
    },
    token: {
      expired: "The gateway's token has expired",
      expires: (length: string) => `The gateway's token expires in ${length}`,
      advice: "Give the scraper a new one, or cloud credentials so that it renews the token itself.",
    },
    approval: {
      expired: "The approval to read the cloud has expired",
      expires: (length: string) => `The approval to read the cloud expires in ${length}`,
      advice: "The scraper renews it by itself while it runs; its log says why it could not. A new one is given with: "
        + "envoy-scraper cloud authorise",
    },
    gap: { title: "Nothing is measured at present", advice: (moment: string) => `A gap has been open since ${moment}.` },
    grid: {
      title: "The house is cut off from the grid",
      generator: "A generator feeds it.",
      battery: "Its battery feeds it until the grid is back.",
    },
    load: {
      title: "What the house uses is not known",
      "battery-power-unknown": "The power of its battery is not known now. To see why, run on the scraper: envoy-scraper check",
      "generator-runs": "A generator that no meter measures runs, or may run. What seems to come from the grid is no purchase.",
      "total-meter-beside-battery":
        "Its meter measures the total consumption, and gateways differ in whether that includes the battery. Only an installer "
        + "can change that: with transformers that measure the grid.",
      "phase-silent": "A phase of a meter gives no power now, and a part is not the sum. To see which, run on the scraper: envoy-scraper check",
      "production-unknown": "What the roof makes is not known now: no inverter reports, and the gateway gives no total that stands in.",
      "meters-contradict":
        "Its meters say that it uses less than nothing, or sells more than its inverters can make. A transformer may be clamped "
        + "on backwards: turn it, or name its phases under reversed in the sites file. To see the meters: envoy-scraper check",
    },
    doubt: {
      title: "A meter contradicts the inverters",
      advice: (measured: string, reported: string) =>
        `For an hour the production meter has shown ${measured}, and the inverters together ${reported}. If no transformer is `
        + "fitted there, give the meter production the role ignore in the sites file.",
    },
    backlog: {
      title: "Readings are waiting",
      advice: (count: string) => `${count} are on their way; nothing is lost, older ones arrive later.`,
    },
    dead: { title: "Some readings were refused", advice: "They are kept at the scraper. To see why, run: envoy-scraper outbox" },
    clock: { title: "The gateway's clock is wrong", advice: (length: string) => `It is off by ${length}; readings are corrected.` },
    panelSilent: {
      one: (name: string) => `${name} is silent`,
      many: (count: number) => `${count} panels are silent`,
      never: "never heard",
      since: (moment: string) => `since ${moment}`,
      say: (words: string) => `It has not reported ${words}, though its peers do.`,
      advice: "If it stays so, look at its inverter and cable.",
    },
    panelWeak: {
      one: (name: string) => `${name} is weak`,
      many: (count: number) => `${count} panels are weak`,
      since: (day: string, ratio: string) => `since ${day} it gives about ${ratio}`,
      say: (words: string) => `S${words.slice(1)} of what its peers do.`,
      advice: "Look for shade, dirt or a defect.",
    },
    panelBehind: {
      one: (name: string) => `${name} is behind its peers`,
      many: (count: number) => `${count} panels are behind their peers`,
    },
    morePanels: (count: number) => `; and ${count} more`,
  },
  alarms: {
    unknown: "Whether there are alarms is not known",
    unknownAdvice: "The receiver cannot read its own file of them; its log says why.",
    since: (reason: string, moment: string) => `${reason} It has been so since ${moment}.`,
    more: (count: number) => `And ${count} more.`,
    /** By the name of the alarm; null: the receiver's own words are in this language. */
    words: null as Record<AlarmEntry["alarm"], AlarmWords> | null,
  },
};
