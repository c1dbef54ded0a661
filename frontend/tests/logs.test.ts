import { expect, test } from "vitest";
import { checkedLogSearch, filterOf, queryOf } from "@/features/logs/search";
import { pieces } from "@/features/logs/text";

const NOW = new Date("2026-03-01T12:00:00Z");

test("an address that says nonsense asks for nothing", () => {
  expect(checkedLogSearch({ q: "", level: "loud", range: "ever", since: "soon", run: "../x" })).toEqual({});
});

test("a range is counted back from now", () => {
  expect(filterOf({ range: "1h" }, NOW)).toEqual({ since: "2026-03-01T11:00:00.000Z" });
});

test("moments count only with the range that shows them", () => {
  const search = { since: "2026-01-01T00:00:00Z", until: "2026-01-02T00:00:00Z" };
  expect(filterOf(search, NOW)).toEqual({});
  expect(filterOf({ ...search, range: "custom" }, NOW)).toEqual(search);
});

test("what is asked for is escaped", () => {
  expect(queryOf({ q: "a&b=c" })).toBe("?q=a%26b%3Dc");
  expect(queryOf({})).toBe("");
});

test("what was searched for is every other piece", () => {
  expect(pieces("Disk full: disk", "disk")).toEqual(["", "Disk", " full: ", "disk", ""]);
  expect(pieces("İ disk", "disk")).toEqual(["İ disk"]);
  expect(pieces("text", "")).toEqual(["text"]);
});
