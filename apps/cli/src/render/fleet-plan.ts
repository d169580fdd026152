import type { Wire } from '@dstack/core';
import type { Style } from '../terminal/style.js';
import { backendWarnings } from './plan-warnings.js';
import { offersTable } from './offers-table.js';
import { renderProperties } from './properties.js';
import { formatRange, formatResourcesSpec } from './resources.js';

const SHOWN = 3;

export function fleetPlanText(plan: Wire.FleetPlan, { style, width }: { style: Style; width: number }): string {
  const { configuration, profile } = plan.effective_spec ?? plan.spec;
  const ssh = configuration.ssh_config;
  const properties = renderProperties(
    [
      ['Project', plan.project_name],
      ['User', plan.user],
      ['Configuration', (plan.effective_spec ?? plan.spec).configuration_path ?? undefined],
      ['Type', 'fleet'],
      ['Fleet type', ssh ? 'ssh' : 'cloud'],
      ['Nodes', ssh ? String(ssh.hosts.length) : configuration.nodes ? formatRange(configuration.nodes) : undefined],
      ['Placement', configuration.placement ?? 'any'],
      ['Backends', configuration.backends?.join(', ')],
      ['Regions', configuration.regions?.join(', ')],
      ['Resources', !ssh && configuration.resources ? formatResourcesSpec(configuration.resources) : undefined],
      ['Spot policy', ssh ? undefined : (configuration.spot_policy ?? profile.spot_policy ?? 'on-demand')],
      ['Reservation', configuration.reservation ?? undefined],
    ],
    style,
  );
  if (ssh) return properties;
  const warnings = backendWarnings([plan])
    .map((warning) => `\n ${style.warning(warning)}`)
    .join('');
  const missing = warnings && `\n${warnings}`;
  if (plan.offers.length === 0) return `${properties}\n\n${style.warning(' No offers fit now.')}${missing}`;
  const offers = offersTable(plan.offers.slice(0, SHOWN), {
    style,
    width,
    total: plan.total_offers,
    maxPrice: plan.max_offer_price,
    firstIsChosen: false,
  });
  return `${properties}\n\n${offers}${missing}`;
}
