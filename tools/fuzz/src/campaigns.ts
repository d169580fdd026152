import { apiCampaign } from './api-campaign.js';
import type { Campaign } from './campaign.js';

export const CAMPAIGNS: readonly Campaign[] = [apiCampaign];
