import { useTotalHistory } from "@/live/hooks";
import Chart, { BYTES } from "@/ui/Chart";
import { bytes, percent } from "@/ui/format";
import { Notice } from "@/ui/notices";
import { Section } from "@/ui/page";
import { words } from "@/words";
import css from "./Overview.module.css";

/** What all plugins use together. */
export default function TotalCharts() {
  const total = useTotalHistory();
  const memory = total.memory.at(-1) ?? 0;
  const cpu = total.cpu.at(-1) ?? 0;
  return (
    <Section title={words.plugin.charts} note={words.plugin.chartsNote}>
      {total.at.length === 0 ? (
        <Notice title={words.overview.chartWaiting} />
      ) : (
        <div className={css["charts"]}>
          <Chart
            label={words.plugin.memoryChart(bytes(memory))}
            at={total.at}
            values={total.memory}
            format={bytes}
            steps={BYTES}
            least={32 * 2 ** 20}
          />
          {total.cpu.some((value) => value !== null) && (
            <Chart
              label={words.plugin.cpuChart(percent(cpu))}
              at={total.at}
              values={total.cpu}
              format={percent}
              least={10}
            />
          )}
        </div>
      )}
    </Section>
  );
}
