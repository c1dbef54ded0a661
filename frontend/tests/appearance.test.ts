import { expect, test } from "vitest";
import { appearance, needsAttention, reason } from "@/parts/appearance";
import { plugin } from "./plugin";

test("what is off by somebody's wish is calm", () => {
  const off = plugin({ enabled: false, state: "stopped", health: "disabled" });
  expect(appearance(off).label).toBe("Off");
  expect(needsAttention(off)).toBe(false);
});

test("what was switched off by its failures asks for attention, and can be tried again", () => {
  const gaveUp = plugin({
    enabled: false,
    state: "stopped",
    health: "disabled",
    disabled_because: { reason: "it failed too many times in a row" },
  });
  expect(appearance(gaveUp)).toMatchObject({ label: "Gave up", tone: "bad", wishes: ["retry"] });
  expect(needsAttention(gaveUp)).toBe(true);
  expect(reason(gaveUp)).toBe("it failed too many times in a row");
});

test("what is wanted but was taken down by hand asks for attention", () => {
  expect(appearance(plugin({ state: "stopped", health: "unhealthy" })).label).toBe("Taken down");
});

test("what runs without its socket is not shown as well", () => {
  expect(appearance(plugin({ health: "unhealthy" })).tone).toBe("warn");
});
