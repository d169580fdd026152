export const AGENT_LABEL = 'ai.dstack.agent';
export const JOB_LABEL = 'ai.dstack.job';
