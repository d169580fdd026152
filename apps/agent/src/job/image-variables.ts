const PREFIX = 'DSTACK_AGENT_IMAGE_';

/** What a start command kept from the agent, under the names that the image gave it. */
export function imageVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith(PREFIX) && value !== undefined ? [[name.slice(PREFIX.length), value]] : [],
    ),
  );
}
