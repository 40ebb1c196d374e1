/** What stands in a cell of a report, in words and figures of the reader's language. Pure. */
import { localeOf, type Lang } from "../lib/i18n";
import type { ReportWords } from "../lib/i18n/reports";
import type { Column, Report, Row, Sums } from "../lib/rest/reports";
import { clock, day } from "../lib/view/format";

export interface Cell {
  text: string;
  /** Nothing is known, or it has not come to an end: shown quietly. */
  quiet: boolean;
}

const NOTHING: Cell = { text: "–", quiet: true };
const FIGURES = new Set(["number", "share", "money"]);

export function shownColumns(report: Report): Column[] {
  return report.columns.filter((column) => !column.is_detail && column.name !== "currency");
}

export function isFigure(column: Column): boolean {
  return FIGURES.has(column.kind);
}

export function heading(column: Column, lang: Lang): { text: string; unit: string | null } {
  return { text: column.heading[lang], unit: column.unit?.[lang] ?? null };
}

export function cellOf(
  column: Column,
  row: Row,
  zone: string,
  lang: Lang,
  words: ReportWords,
): Cell {
  const value = row[column.name];
  if (value === null || value === undefined) {
    const code = column.names === null ? undefined : row[column.names];
    if (typeof code === "string" && code !== "") return { text: code, quiet: false };
    const isEnd = column.kind === "instant" && row["is_open"] === true;
    return isEnd ? { text: words.goesOn, quiet: true } : NOTHING;
  }
  return { text: textOf(column, value, row, zone, lang), quiet: false };
}

function textOf(column: Column, value: unknown, row: Row, zone: string, lang: Lang): string {
  switch (column.kind) {
    case "number":
      return figure(Number(value), column.decimals, lang);
    case "money":
      return `${figure(Number(value), column.decimals, lang)} ${String(row["currency"] ?? "")}`;
    case "share":
      return `${figure(Number(value) * 100, column.decimals, lang)} %`;
    case "instant": {
      const at_ms = Date.parse(String(value));
      return `${day(at_ms, zone, lang)} ${clock(at_ms, zone)}`;
    }
    case "date":
      return day(Date.parse(`${String(value)}T00:00:00Z`), "UTC", lang);
    case "choice":
      return column.choices[String(value)]?.[lang] ?? String(value);
    case "words": {
      const names = value as Record<string, string>;
      return names[lang] ?? names["en"] ?? Object.values(names)[0] ?? "";
    }
    default:
      return String(value);
  }
}

/** The lines of a column's sum: one, or one for each currency; none where there is none. */
export function sumLines(column: Column, sums: Sums, lang: Lang): string[] {
  if (!column.is_summed) return [];
  if (column.kind === "money") {
    const found = sums.money[column.name] ?? {};
    return Object.entries(found).map(
      ([currency, sum]) => `${figure(sum, column.decimals, lang)} ${currency}`,
    );
  }
  const sum = sums.sums[column.name];
  return sum === null || sum === undefined ? [] : [figure(sum, column.decimals, lang)];
}

export function figure(value: number, decimals: number, lang: Lang): string {
  return new Intl.NumberFormat(localeOf[lang], {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  }).format(value);
}
