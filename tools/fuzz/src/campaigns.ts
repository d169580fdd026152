import { agentCampaign } from './agent-campaign.js';
import { apiCampaign } from './api-campaign.js';
import { archiveCampaign } from './archive-campaign.js';
import type { Campaign } from './campaign.js';
import { configurationCampaign } from './configuration-campaign.js';
import { grammarCampaign } from './grammar-campaign.js';
import { httpCampaign } from './http-campaign.js';
import { logEndpointCampaign } from './log-endpoint-campaign.js';
import { uploadCampaign } from './upload-campaign.js';

export const CAMPAIGNS: readonly Campaign[] = [
  configurationCampaign,
  grammarCampaign,
  apiCampaign,
  httpCampaign,
  uploadCampaign,
  archiveCampaign,
  agentCampaign,
  logEndpointCampaign,
];
