import type { LogLine } from "@/api/types";

/** A line as it is copied: one line each, whatever a plugin writes. */
export function asText(line: LogLine): string {
  const fields = Object.keys(line.fields).length === 0 ? "" : ` ${JSON.stringify(line.fields)}`;
  return `${line.at} ${line.level} ${line.message.replaceAll("\n", "\n\t")}${fields}`;
}

/** The text in pieces, every other one of which was searched for. */
export function pieces(text: string, wanted: string): readonly string[] {
  if (wanted === "") return [text];
  const lower = text.toLowerCase();
  const searched = wanted.toLowerCase();
  // Some letters change their length when they are made small: then better no marks than wrong ones.
  if (lower.length !== text.length) return [text];
  const found: string[] = [];
  let from = 0;
  for (let at = lower.indexOf(searched); at >= 0; at = lower.indexOf(searched, from)) {
    found.push(text.slice(from, at), text.slice(at, at + searched.length));
    from = at + searched.length;
  }
  return [...found, text.slice(from)];
}
