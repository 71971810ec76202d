/** What needs a person, in German. */

import type { EN_NOTICES } from "./en_notices.ts";

export const DE_NOTICES: typeof EN_NOTICES = {
  notices: {
    certificate: {
      title: "Das Gateway zeigt ein anderes Zertifikat",
      advice: "Bis Sie es annehmen, bekommt es kein Passwort. Wurde es ersetzt oder aktualisiert: envoy-scraper trust",
    },
    login: {
      title: "Die Anmeldung am Gateway ist angehalten",
      advice: "Sein Token oder Passwort wurde abgelehnt. Auf dem Scraper: envoy-scraper check",
    },
    cloudLogin: {
      title: "Das Lesen aus der Cloud ist angehalten",
      advice: "Die Freigabe des Eigentümers fehlt oder wurde abgelehnt, oder die Schlüssel der Anwendung. Auf dem Scraper: "
        + "envoy-scraper check. Eine neue Freigabe gibt: envoy-scraper cloud authorise",
    },
    silent: {
      title: "Der Scraper ist stumm",
      never: "Er hat sich noch nicht gemeldet. Läuft er, und erreicht er diesen Empfänger?",
      last: (age) => `Seine letzte Meldung kam ${age}. Läuft er, und erreicht er diesen Empfänger?`,
    },
    token: {
      expired: "Der Token des Gateways ist abgelaufen",
      expires: (length) => `Der Token des Gateways läuft in ${length} ab`,
      advice: "Geben Sie dem Scraper einen neuen, oder Zugangsdaten der Cloud: Dann erneuert er ihn selbst.",
    },
    approval: {
      expired: "Die Freigabe für die Cloud ist abgelaufen",
      expires: (length) => `Die Freigabe für die Cloud läuft in ${length} ab`,
      advice: "Der laufende Scraper erneuert sie selbst; warum er es nicht konnte, sagt sein Log. Eine neue gibt: "
        + "envoy-scraper cloud authorise",
    },
    gap: { title: "Zurzeit wird nichts gemessen", advice: (moment) => `Seit ${moment} ist eine Lücke offen.` },
    grid: {
      title: "Das Haus ist vom Netz getrennt",
      generator: "Ein Generator versorgt es.",
      battery: "Seine Batterie versorgt es, bis das Netz wieder da ist.",
    },
    load: {
      title: "Der Verbrauch des Hauses ist nicht bekannt",
      "battery-power-unknown": "Die Leistung seiner Batterie ist jetzt nicht bekannt. Warum, zeigt auf dem Scraper: envoy-scraper check",
      "generator-runs": "Ein Generator, den kein Zähler misst, läuft oder kann laufen. Was aus dem Netz zu kommen scheint, ist kein Bezug.",
      "total-meter-beside-battery":
        "Sein Zähler misst den Gesamtverbrauch, und ob der die Batterie enthält, ist nicht bei jedem Gateway gleich. Ändern kann das "
        + "nur ein Installateur: mit Stromwandlern, die das Netz messen.",
      "phase-silent":
        "Eine Phase eines Zählers meldet jetzt keine Leistung, und ein Teil ist nicht die Summe. Welche, zeigt auf dem Scraper: "
        + "envoy-scraper check",
      "production-unknown":
        "Was das Dach erzeugt, ist jetzt nicht bekannt: Kein Wechselrichter meldet sich, und das Gateway nennt keine Summe dafür.",
      "meters-contradict":
        "Nach seinen Zählern verbraucht es weniger als nichts, oder es verkauft mehr, als seine Wechselrichter erzeugen können. "
        + "Vielleicht ist ein Stromwandler verkehrt herum angebracht: Drehen Sie ihn, oder nennen Sie seine Phasen in der Sites-Datei "
        + "unter reversed. Die Zähler zeigt: envoy-scraper check",
    },
    doubt: {
      title: "Ein Zähler widerspricht den Wechselrichtern",
      advice: (measured, reported) =>
        `Seit einer Stunde zeigt der Produktionszähler ${measured}, und die Wechselrichter zusammen melden ${reported}. Ist dort `
        + "kein Stromwandler angebracht, geben Sie dem Zähler production in der Sites-Datei die Rolle ignore.",
    },
    backlog: {
      title: "Messwerte warten",
      advice: (count) => `${count} sind unterwegs; nichts ist verloren, ältere kommen später.`,
    },
    dead: { title: "Einige Messwerte wurden abgelehnt", advice: "Sie liegen beim Scraper. Warum, zeigt: envoy-scraper outbox" },
    clock: { title: "Die Uhr des Gateways geht falsch", advice: (length) => `Sie weicht um ${length} ab; die Messwerte werden berichtigt.` },
    panelSilent: {
      one: (name) => `${name} ist stumm`,
      many: (count) => `${count} Module sind stumm`,
      never: "nie gehört",
      since: (moment) => `seit ${moment}`,
      say: (words) => `Keine Meldung (${words}), obwohl die vergleichbaren Module melden.`,
      advice: "Bleibt es so, sehen Sie nach Wechselrichter und Kabel.",
    },
    panelWeak: {
      one: (name) => `${name} ist schwach`,
      many: (count) => `${count} Module sind schwach`,
      since: (day, ratio) => `seit ${day} gibt es etwa ${ratio}`,
      say: (words) => `S${words.slice(1)} dessen, was vergleichbare Module geben.`,
      advice: "Sehen Sie nach Schatten, Schmutz oder einem Defekt.",
    },
    panelBehind: {
      one: (name) => `${name} bleibt hinter vergleichbaren Modulen zurück`,
      many: (count) => `${count} Module bleiben hinter vergleichbaren zurück`,
    },
    morePanels: (count) => `; und ${count} weitere`,
  },
  alarms: {
    unknown: "Ob es Alarme gibt, ist nicht bekannt",
    unknownAdvice: "Der Empfänger kann seine eigene Datei der Alarme nicht lesen; warum, sagt sein Log.",
    since: (reason, moment) => `${reason} So ist es seit ${moment}.`,
    more: (count) => `Und ${count} weitere.`,
    words: {
      "gateway-silent": {
        title: "Gateway stumm",
        reason: "Vom Gateway {gateway} kommen keine Messwerte.",
        advice: "Ist auch der Scraper stumm, sehen Sie zuerst dort nach. Sonst: Hat das Gateway Strom und Netz, und gelingt seine "
          + "Anmeldung (envoy-scraper check)?",
      },
      "scraper-silent": {
        title: "Scraper stumm",
        reason: "Vom Scraper des Gateways {gateway} kommt nichts an.",
        advice: "Läuft sein Rechner, und erreicht er den Empfänger? Messwerte warten so lange in seinem Ausgang.",
      },
      "backlog-growing": {
        title: "Rückstand wächst",
        reason: "Beim Scraper des Gateways {gateway} warten {readings} Messwerte, mehr als vor einer Stunde.",
        advice: "Die neuesten Messwerte kommen an, ältere stauen sich: Die Leitung oder die Datenbank ist zu langsam.",
      },
      "token-expiring": {
        title: "Token läuft ab",
        reason: "Der Token des Gateways {gateway} gilt noch {left_s}.",
        advice: "Geben Sie dem Scraper einen neuen Token, oder ENVOY_CLOUD_USERNAME und ENVOY_CLOUD_PASSWORD, damit er selbst einen holt.",
        ofCloud: {
          title: "Freigabe läuft ab",
          reason: "Die Freigabe von {gateway} gilt noch {left_s}.",
          advice: "Der laufende Scraper erneuert sie selbst; warum er es nicht konnte, sagt sein Log. Eine neue gibt der Eigentümer "
            + "mit: envoy-scraper cloud authorise",
        },
      },
      "certificate-changed": {
        title: "Zertifikat geändert",
        reason: "Das Gateway {gateway} zeigt ein anderes Zertifikat als das gemerkte: Es bekommt keine Anmeldung.",
        advice: "Hat das Gateway es erneuert (einmal im Jahr) oder wurde es ersetzt, nehmen Sie es an: envoy-scraper trust",
      },
      "losses": {
        title: "Verluste",
        reason: "In den letzten 24 Stunden gingen {readings} Messwerte des Gateways {gateway} endgültig verloren.",
        advice: "Die Ereignisse der Art loss sagen, wann und warum: Ausgang voll, Platte voll oder beschädigt.",
      },
      "panel-dead": {
        title: "Modul tot",
        reason: "Modul {panel} gab eine Stunde lang bei Tageslicht nichts, während die vergleichbaren Module erzeugten.",
        advice: "Sehen Sie seine letzte Meldung auf der Seite an; Schnee und Schatten sehen aus wie ein Defekt.",
      },
      "panel-weak": {
        title: "Modul schwach",
        reason: "Modul {panel} gab an seinen letzten Tagen {before_share} und {last_share} der Energie vergleichbarer Module.",
        advice: "Suchen Sie Schatten, Schmutz und lose Stecker. Blickt es in eine andere Richtung als die verglichenen, geben Sie "
          + "beiden in der Sites-Datei einen Array: Verglichen wird innerhalb eines Arrays.",
      },
      "phase-voltage": {
        title: "Spannung einer Phase",
        reason: "Die Spannung der Phase {subject} am Gateway {gateway} ist {now_v}, mehr als 10 % neben der Nennspannung.",
        advice: "Bei solchen Spannungen schalten Wechselrichter ab. Hält es an, sagen Sie es dem Netzbetreiber.",
      },
      "meter-contradicts": {
        title: "Zähler widerspricht den Wechselrichtern",
        reason: "Seit einer Stunde erzeugt die Anlage am Gateway {gateway} laut Zähler {measured_w}, laut Modulen {reported_w}.",
        advice: "Ist dort kein Stromwandler angebracht, geben Sie dem Zähler production in der Sites-Datei die Rolle ignore. Sonst "
          + "prüfen Sie seine Verdrahtung.",
      },
      "grid-lost": {
        title: "Netz ausgefallen",
        reason: "Das Haus des Gateways {gateway} ist vom Netz getrennt.",
        advice: "Hat niemand das Hauptrelais absichtlich geöffnet, ist das Netz ausgefallen: Die Batterie versorgt das Haus, solange sie "
          + "reicht.",
      },
      "battery-not-reporting": {
        title: "Batterie meldet sich nicht",
        reason: "Die Batterie {subject} hat seit einer halben Stunde nicht mit dem Gateway {gateway} gesprochen.",
        advice: "Ohne Speicherzähler weiß so lange niemand, was das Haus verbraucht. Sehen Sie nach ihrer Leuchte und ihrem Schalter.",
      },
      "disk-nearly-full": {
        title: "Platte fast voll",
        reason: "Beim Scraper des Gateways {gateway} sind {free_gib} ({free_share}) der Platte seines Ausgangs frei.",
        ofReceiver: "Beim Empfänger sind {free_gib} ({free_share}) einer Platte frei ({subject}).",
        advice: "Schaffen Sie Platz, oder bewahren Sie rohe Messwerte kürzer auf (RECEIVER_METER_DAYS). Eine volle Platte hält den "
          + "Empfänger an, und die Scraper behalten, was sie lesen.",
      },
      "output-behind": {
        title: "Ausgabe im Rückstand",
        reason: "{subject} ist {behind_s} im Rückstand.",
        advice: "Warum, sagt envoy-receiver outputs. Nichts geht verloren: Was dem Ziel fehlt, wird gesendet, sobald es wieder annimmt.",
      },
    },
  },
};
