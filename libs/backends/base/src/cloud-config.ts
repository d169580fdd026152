export interface CloudConfig {
  /** OpenSSH lines that may log in as the image's own user. */
  readonly authorizedKeys: readonly string[];
  /** Shell, each run by root at the first start, one after the other. */
  readonly steps: readonly string[];
}

/** User data for cloud-init, in YAML (of which JSON is a part): who may log in, and what is done at the first start. Holds no secret. */
export function cloudConfig({ authorizedKeys, steps }: CloudConfig): string {
  const keys = authorizedKeys.map((line) => `  - ${JSON.stringify(line.trim())}\n`).join('');
  const runs = steps.map((step) => `  - ${JSON.stringify(['sh', '-c', step])}\n`).join('');
  return `#cloud-config\nssh_authorized_keys:\n${keys}${runs === '' ? '' : `runcmd:\n${runs}`}`;
}

/** Ubuntu's own Docker, on images that come without one. */
export const INSTALL_DOCKER = `command -v docker >/dev/null || { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y docker.io; }`;

/** With systemd as the cgroup driver a reload takes GPUs away from running containers (nvidia-container-toolkit issue 48). */
export const KEEP_GPUS_ON_RELOAD = `
if command -v nvidia-ctk >/dev/null && [ -e /etc/docker/daemon.json ]; then
  python3 - <<'PYTHON'
import json
path = '/etc/docker/daemon.json'
with open(path) as file:
    config = json.load(file)
options = config.setdefault('exec-opts', [])
if not any(option.startswith('native.cgroupdriver=') for option in options):
    options.append('native.cgroupdriver=cgroupfs')
    with open(path, 'w') as file:
        json.dump(config, file, indent=2)
PYTHON
  systemctl restart docker
fi`;

/** The runtime that gives containers their GPUs, on images with a driver and without it. */
export const ADD_NVIDIA_RUNTIME = `
if command -v nvidia-smi >/dev/null; then
  command -v nvidia-ctk >/dev/null || { apt-get update && apt-get install -y nvidia-container-toolkit; }
  nvidia-ctk runtime configure --runtime=docker
fi`;
