/** Figures and times as people read them. */

const LANGUAGE = navigator.language;

const oneDigit = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const clock = new Intl.DateTimeFormat(LANGUAGE, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${(value < 100 && unit > 0 ? oneDigit : whole).format(value)} ${UNITS[unit]}`;
}

export function percent(value: number): string {
  return `${(value < 10 ? oneDigit : whole).format(value)} %`;
}

export function decimal(value: number): string {
  return (value < 100 ? oneDigit : whole).format(value);
}

export function count(value: number): string {
  return whole.format(value);
}

/** `1 h 5 min`, `42 s`, `0.3 s`: the two largest units. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${oneDigit.format(Math.max(0, seconds))} s`;
  const steps: readonly [number, string][] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = steps.findIndex(([size]) => seconds >= size);
  let left = Math.round(seconds);
  const parts: string[] = [];
  for (const [size, name] of steps.slice(first, first + 2)) {
    const number = Math.floor(left / size);
    left -= number * size;
    if (number > 0) parts.push(`${number} ${name}`);
  }
  return parts.join(" ");
}

export function ago(then: Date, now: Date): string {
  const seconds = (then.getTime() - now.getTime()) / 1000;
  const size = Math.abs(seconds);
  if (size < 60) return relative.format(Math.round(seconds), "second");
  if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 86_400) return relative.format(Math.round(seconds / 3600), "hour");
  return relative.format(Math.round(seconds / 86_400), "day");
}

export function timeOfDay(then: Date): string {
  return clock.format(then);
}

export function date(then: Date): string {
  return day.format(then);
}

export function dateAndTime(then: Date): string {
  return moment.format(then);
}
