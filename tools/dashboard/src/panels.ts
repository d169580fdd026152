import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** As the compose file provisions it. */
export const PROMETHEUS = { type: 'prometheus', uid: 'prometheus' };

interface Described {
  readonly id: number;
  readonly title: string;
  readonly unit?: 'currencyUSD' | 'percentunit' | 'bytes';
}

/** One number, a quarter of the width. */
export function numberPanel({ id, title, unit }: Described, expr: string): Builder<Panel> {
  const panel = new StatBuilder().id(id).title(title).datasource(PROMETHEUS).span(6).height(4);
  if (unit !== undefined) panel.unit(unit);
  return panel.withTarget(query('A', expr, ''));
}

/** Queries by the legend of their lines; half of the width. */
export function linesPanel({ id, title, unit }: Described, queries: Readonly<Record<string, string>>): Builder<Panel> {
  const panel = new TimeseriesBuilder().id(id).title(title).datasource(PROMETHEUS).span(12).height(8);
  if (unit !== undefined) panel.unit(unit);
  for (const [index, [legend, expr]] of Object.entries(queries).entries())
    panel.withTarget(query(String.fromCharCode('A'.charCodeAt(0) + index), expr, legend));
  return panel;
}

function query(refId: string, expr: string, legend: string): DataqueryBuilder {
  return new DataqueryBuilder().refId(refId).datasource(PROMETHEUS).expr(expr).legendFormat(legend);
}
