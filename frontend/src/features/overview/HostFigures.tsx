import type { ReactNode } from "react";
import { useHost } from "@/live/hooks";
import { bytes, decimal, duration, percent } from "@/ui/format";
import { Skeleton } from "@/ui/notices";
import { Section } from "@/ui/page";
import { words } from "@/words";
import css from "./Overview.module.css";

/** How busy the host is, and how much room there is. */
export function HostFigures() {
  const host = useHost();
  if (host === undefined) {
    return (
      <Section title={words.overview.host}>
        <Skeleton lines={2} />
      </Section>
    );
  }
  const { cpu_percent: cpu, load, memory_total_bytes: memory, memory_available_bytes: available, plugins } = host;
  const used = memory === null || available === null ? null : memory - available;
  return (
    <Section title={host.hostname} note={[host.system, words.overview.up(duration(host.uptime_seconds))].join(" · ")}>
      <ul className={css["gauges"]}>
        <Gauge
          name={words.overview.processor}
          figure={cpu === null ? words.unknown : percent(cpu)}
          share={cpu === null ? null : cpu / 100}
        >
          {words.overview.processors(host.processors)}
          {load !== null && (
            <span title={words.overview.loadHint}>, {words.overview.load(load.map(decimal).join(" · "))}</span>
          )}
        </Gauge>
        {memory !== null && used !== null && (
          <Gauge name={words.overview.hostMemory} figure={percent((100 * used) / memory)} share={used / memory}>
            {words.overview.used(bytes(used), bytes(memory))}
          </Gauge>
        )}
        <Gauge
          name={words.overview.together}
          figure={plugins.memory_bytes === null ? words.unknown : bytes(plugins.memory_bytes)}
          share={plugins.memory_bytes === null || memory === null ? null : plugins.memory_bytes / memory}
        >
          {[
            plugins.tasks !== null && words.overview.tasks(plugins.tasks),
            plugins.cpu_percent !== null && `${percent(plugins.cpu_percent)} ${words.overview.ofOne}`,
          ]
            .filter(Boolean)
            .join(", ")}
        </Gauge>
        {host.disks.map((disk) => {
          const full = disk.total_bytes - disk.available_bytes;
          return (
            <Gauge
              key={disk.paths.join()}
              name={words.overview.disk(disk.paths[0] ?? "")}
              figure={disk.total_bytes === 0 ? words.unknown : percent((100 * full) / disk.total_bytes)}
              share={disk.total_bytes === 0 ? null : full / disk.total_bytes}
            >
              <span title={disk.paths.join(", ")}>
                {words.overview.free(bytes(disk.available_bytes), bytes(disk.total_bytes))}
              </span>
            </Gauge>
          );
        })}
      </ul>
    </Section>
  );
}

interface GaugeProps {
  readonly name: string;
  readonly figure: string;
  /** Of what there is, from 0 to 1; null: of nothing that has an end. */
  readonly share: number | null;
  readonly children: ReactNode;
}

const NEARLY_FULL = 0.9;

function Gauge({ name, figure, share, children }: GaugeProps) {
  return (
    <li className={css["gauge"]}>
      <span className={css["gaugeName"]}>{name}</span>
      <span className={css["gaugeFigure"]}>{figure}</span>
      <span className={css["bar"]} aria-hidden="true">
        {share !== null && (
          <span
            className={css["barFill"]}
            data-full={share >= NEARLY_FULL}
            style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }}
          />
        )}
      </span>
      <span className={css["gaugeNote"]}>{children}</span>
    </li>
  );
}
