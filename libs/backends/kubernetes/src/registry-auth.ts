/** Docker Hub is known to credential stores by an old name. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

/** The registry of an image's name as the credentials of `.dockerconfigjson` call it. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const isHost = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost');
  return !isHost || first === 'docker.io' || first === 'index.docker.io' ? DOCKER_HUB : first;
}

export function dockerConfig(image: string, { username, password }: { username: string; password: string }): string {
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  return JSON.stringify({ auths: { [registryOf(image)]: { username, password, auth } } });
}
