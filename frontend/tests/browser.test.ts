import { expect, test } from "vitest";
import { browserName, isHandheld } from "@/features/account/browser";

const AGENTS: readonly [string, string, boolean][] = [
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 on Linux", false],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    "Edge 142 on Windows",
    false,
  ],
  [
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Chrome 142 on Android",
    true,
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Safari 18 on iOS",
    true,
  ],
  ["curl/8.14.1", "curl 8", false],
];

test.each(AGENTS)("%s is told by its name", (agent, name, handheld) => {
  expect(browserName(agent)).toBe(name);
  expect(isHandheld(agent)).toBe(handheld);
});

test("an unknown browser is shown as it says, cut short", () => {
  expect(browserName("my script")).toBe("my script");
  expect(browserName("x".repeat(255))).toHaveLength(81);
  expect(browserName(null)).toBe("A browser");
});
