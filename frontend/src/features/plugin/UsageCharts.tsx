import { CircleGauge } from "lucide-react";
import { useMemo } from "react";
import { useHistory, useRecentEvents } from "@/live/hooks";
import { hasProcess, type LivePlugin } from "@/live/live";
import Chart, { BYTES } from "@/ui/Chart";
import { bytes, percent } from "@/ui/format";
import { Notice } from "@/ui/notices";
import { words } from "@/words";
import css from "./UsageCharts.module.css";

/** Memory and processor over time, with its crashes. */
export default function UsageCharts({ plugin }: { readonly plugin: LivePlugin }) {
  const history = useHistory(plugin.id);
  const events = useRecentEvents();
  const crashes = useMemo(
    () =>
      events
        .filter((event) => event.plugin_id === plugin.id && event.event_type === "crashed")
        .map((event) => new Date(event.timestamp).getTime() / 1000),
    [events, plugin.id],
  );
  if (history.at.length === 0) {
    return (
      <Notice
        icon={<CircleGauge aria-hidden />}
        title={hasProcess(plugin) ? words.plugin.chartWaiting : words.plugin.chartEmpty}
      />
    );
  }
  const memory = history.memory.at(-1);
  const cpu = history.cpu.at(-1);
  const shown = (value: number | null | undefined, format: (value: number) => string) =>
    value === null || value === undefined ? words.unknown : format(value);
  return (
    <div className={css["charts"]}>
      {history.memory.some((value) => value !== null) ? (
        <Chart
          label={words.plugin.memoryChart(shown(memory, bytes))}
          at={history.at}
          values={history.memory}
          format={bytes}
          steps={BYTES}
          marks={crashes}
          least={8 * 2 ** 20}
        />
      ) : (
        <Notice title={words.plugin.notMeasured} />
      )}
      {history.cpu.some((value) => value !== null) && (
        <Chart
          label={words.plugin.cpuChart(shown(cpu, percent))}
          at={history.at}
          values={history.cpu}
          format={percent}
          marks={crashes}
          least={5}
        />
      )}
    </div>
  );
}
