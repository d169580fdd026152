/**
 * What Lambda's image needs before containers get GPUs that stay: NVIDIA's runtime, and the cgroup driver with which a reload of
 * systemd does not take the devices away (nvidia-container-toolkit issue 48). Docker is restarted once; nothing else depends on it.
 */
export const USER_DATA = `#cloud-config
runcmd:
  - |
    set -eu
    if command -v nvidia-smi >/dev/null && ! command -v nvidia-ctk >/dev/null; then
      apt-get update
      apt-get install -y nvidia-container-toolkit
    fi
    if command -v nvidia-ctk >/dev/null; then
      nvidia-ctk runtime configure --runtime=docker
      python3 - <<'EOF'
    import json
    path = '/etc/docker/daemon.json'
    with open(path) as file:
        config = json.load(file)
    options = config.setdefault('exec-opts', [])
    if not any(option.startswith('native.cgroupdriver=') for option in options):
        options.append('native.cgroupdriver=cgroupfs')
        with open(path, 'w') as file:
            json.dump(config, file, indent=2)
    EOF
      systemctl restart docker
    fi
`;
