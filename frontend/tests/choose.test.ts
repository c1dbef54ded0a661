import { describe, expect, test } from "vitest";
import { chosen, countOf, memoryOf } from "@/features/plugins/choose";
import { plugin } from "./plugin";

const names = (plugins: readonly { name: string }[]) => plugins.map(({ name }) => name);
const all = [
  plugin({ id: "a", name: "Weather", author: "Lake Station" }),
  plugin({ id: "b", name: "Archive", state: "idle", running: false, pid: null }),
  plugin({ id: "c", name: "Mailer", enabled: false, running: false, pid: null, state: "stopped", health: "disabled" }),
  plugin({ id: "d", name: "Camera", state: "backing off", running: false, pid: null, health: "unhealthy" }),
];

describe("which plugins are shown", () => {
  test("all, by name, when nothing is asked for", () => {
    const shown = chosen(all, { text: "", filter: "all", sort: "name" }, new Map());
    expect(names(shown)).toEqual(["Archive", "Camera", "Mailer", "Weather"]);
  });

  test("a search looks at name, id, author and description, in whatever case", () => {
    expect(names(chosen(all, { text: " LAKE ", filter: "all", sort: "name" }, new Map()))).toEqual(["Weather"]);
  });

  test("what is in trouble comes first by state", () => {
    const shown = chosen(all, { text: "", filter: "all", sort: "state" }, new Map());
    expect(names(shown)).toEqual(["Camera", "Weather", "Archive", "Mailer"]);
  });

  test("whoever uses most comes first by memory, and who uses nothing last", () => {
    const asked = { requests_per_second: 0, errors_per_second: 0, restarts: 0 };
    const figures = new Map([["a", { memory_bytes: 5, tasks: 1, cpu_seconds: 1, cpu_percent: 1, ...asked }]]);
    expect(names(chosen(all, { text: "", filter: "all", sort: "memory" }, figures))[0]).toBe("Weather");
  });

  test("each filter counts what it shows", () => {
    for (const filter of ["all", "attention", "running", "asleep", "off"] as const) {
      expect(countOf(all, filter)).toBe(chosen(all, { text: "", filter, sort: "name" }, new Map()).length);
    }
    expect(countOf(all, "attention")).toBe(1);
  });

  test("without a process there is no memory, whatever was known before", () => {
    expect(memoryOf(plugin({ pid: null, memory_bytes: 7 }), new Map())).toBeNull();
  });
});
