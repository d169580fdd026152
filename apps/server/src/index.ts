export { createServerApp, type ServerApp, type ServerOverrides } from './create-server-app.js';
export { main } from './main.js';
export { readSettings, SettingsError, type SettingsResult } from './settings/read-settings.js';
export type { ServerSettings } from './settings/settings.js';
