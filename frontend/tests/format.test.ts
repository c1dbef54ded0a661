import { expect, test } from "vitest";
import { ago, bytes, duration } from "@/ui/format";

test("bytes are shown in the largest unit that keeps them above one", () => {
  expect(bytes(0)).toBe("0 B");
  expect(bytes(1536)).toBe("1.5 KiB");
  expect(bytes(512 * 2 ** 20)).toBe("512 MiB");
});

test("a duration has its two largest units", () => {
  expect(duration(0.34)).toBe("0.3 s");
  expect(duration(65)).toBe("1 min 5 s");
  expect(duration(3600)).toBe("1 h");
  expect(duration(90_061)).toBe("1 d 1 h");
});

test("a time is told from now", () => {
  const now = new Date("2026-03-01T12:00:00Z");
  expect(ago(new Date("2026-03-01T11:57:00Z"), now)).toBe("3 min. ago");
  expect(ago(now, now)).toBe("now");
});
