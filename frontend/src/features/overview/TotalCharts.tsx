import { useMemo } from "react";
import { perMinute } from "@/live/history";
import { useTotalHistory } from "@/live/hooks";
import Chart, { BYTES } from "@/ui/Chart";
import { bytes, count, decimal, percent } from "@/ui/format";
import { Notice } from "@/ui/notices";
import { Section } from "@/ui/page";
import { words } from "@/words";
import css from "./Overview.module.css";

const perSecond = (value: number) => words.overview.perSecond(decimal(value));

function now(values: readonly (number | null)[], format: (value: number) => string): string {
  const last = values.at(-1);
  return last === null || last === undefined ? words.unknown : format(last);
}

/** What all plugins did and used together. */
export default function TotalCharts() {
  const { at, memory, cpu, requests, errors, restarts } = useTotalHistory();
  const [minutes, inMinutes] = useMemo(() => perMinute(at, restarts), [at, restarts]);
  const isMeasured = (values: readonly (number | null)[]) => values.some((value) => value !== null && value > 0);
  return (
    <Section title={words.overview.charts} note={words.overview.together}>
      {at.length === 0 ? (
        <Notice title={words.overview.chartWaiting} />
      ) : (
        <div className={css["charts"]}>
          <Chart
            label={words.overview.requestsChart(now(requests, perSecond))}
            at={at}
            name={words.overview.requests}
            values={requests}
            bad={{ name: words.overview.errors, values: errors }}
            format={perSecond}
            least={1}
          />
          <Chart
            label={words.plugin.memoryChart(now(memory, bytes))}
            at={at}
            values={memory}
            format={bytes}
            steps={BYTES}
            least={32 * 2 ** 20}
          />
          {isMeasured(cpu) && (
            <Chart label={words.plugin.cpuChart(now(cpu, percent))} at={at} values={cpu} format={percent} least={10} />
          )}
          <Chart
            label={words.overview.restartsChart(restarts.reduce<number>((sum, value) => sum + (value ?? 0), 0))}
            at={minutes}
            values={inMinutes}
            format={(value) => count(value)}
            kind="bars"
            steps={WHOLE}
            least={4}
          />
        </div>
      )}
    </Section>
  );
}

const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
