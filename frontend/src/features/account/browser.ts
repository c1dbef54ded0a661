import { words } from "@/words";

/** What a browser calls itself, and its name. Each pretends to be those below it. */
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdg(?:A|iOS)?\/(\d+)/, "Edge"],
  [/\bOPR\/(\d+)/, "Opera"],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, "Firefox"],
  [/\b(?:HeadlessChrome|Chrome|CriOS)\/(\d+)/, "Chrome"],
  [/\bVersion\/(\d+).* Safari\//, "Safari"],
  [/^curl\/(\d+)/, "curl"],
];

const SYSTEMS: readonly [RegExp, string][] = [
  [/\bAndroid\b/, "Android"],
  [/\b(?:iPhone|iPad)\b/, "iOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

const LONGEST = 80;

/** `Firefox 140 on Linux`, for people to tell their browsers apart; or as it says, where it is none we know. */
export function browserName(agent: string | null): string {
  if (agent === null) return words.sessions.unknownBrowser;
  for (const [pattern, name] of BROWSERS) {
    const version = pattern.exec(agent)?.[1];
    if (version === undefined) continue;
    const system = SYSTEMS.find(([sign]) => sign.test(agent))?.[1];
    return system === undefined ? `${name} ${version}` : words.sessions.browserOn(`${name} ${version}`, system);
  }
  return agent.length > LONGEST ? `${agent.slice(0, LONGEST)}…` : agent;
}

export function isHandheld(agent: string | null): boolean {
  return agent !== null && /\b(?:Android|iPhone|iPad|Mobile)\b/.test(agent);
}
