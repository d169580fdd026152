/** Configurations as people write them; together they use every type and shorthand. */
export const examples: Readonly<Record<string, string>> = {
  'a dev environment': `
type: dev-environment
name: vscode
python: 3.10
ide: vscode
init: [pip install -r requirements.txt]
inactivity_duration: 2h
env:
  - HF_TOKEN
  - HF_HUB_ENABLE_HF_TRANSFER=1
ports: [8000, "80:8080", "*:22"]
resources:
  cpu: x86:8..
  memory: 16GB..
  gpu: A10G,A100:24GB..:1..2
  shm_size: 16GB
  disk: 200GB
files: [.bashrc, "config:~/config"]
repos: [.]
`,
  'a task on many nodes': `
type: task
name: train
image: nvcr.io/nvidia/pytorch:24.01-py3
user: 1000:1000
shell: bash
privileged: yes
registry_auth: {username: $oauthtoken, password: "\${{ secrets.NGC }}"}
nodes: 4
commands:
  - torchrun --nnodes=$DSTACK_NODES_NUM train.py \${{ run.args }}
env:
  PORT: 8080
  TOKEN: {key: TOKEN}
resources:
  gpu: {name: [H100, H200], count: 8, memory: 80GB.., compute_capability: 9.0}
  cpu: {arch: x86, count: 16..}
volumes:
  - name: data-\${{ dstack.node_rank }}
    path: /data
  - /mnt/cache:/cache
  - {name: [a, b], path: /models}
  - {instance_path: /x, path: /y, optional: true}
repos:
  - url: https://github.com/org/repo
    branch: main
    path: ~/repo
    if_exists: skip
retry: {on_events: [no-capacity, interruption], duration: 4h}
max_duration: off
stop_duration: 5m
idle_duration: 1d
max_price: 4.5
spot_policy: auto
backends: [aws, gcp]
regions: [us-east-1]
utilization_policy: {min_gpu_utilization: 10, time_window: 1h}
schedule: {cron: "0 8 * * mon-fri"}
startup_order: master-first
stop_criteria: master-done
fleets: [mine, other/theirs, {name: third}]
tags: {team: research}
priority: 50
backend_options:
  - {type: vastai, offer_order: price, min_reliability: 0.95, min_score: 10}
`,
  'a task of different nodes': `
type: task
instances: [a-0, {hostname: h}, {fleet: f, instance: 1}]
groups:
  - commands: [head]
    ports: [8265]
  - name: workers
    nodes: 2
    commands: [worker]
    resources: {gpu: "nvidia:1", memory: {min: 8GB}, cpu: {min: 2}, disk: {size: 100GB..}}
`,
  'a task with docker': 'type: task\ndocker: true\ndstack: true\ncommands: [docker run x]\n',
  'a service that scales': `
type: service
name: llama
port: 8000
image: vllm/vllm-openai
commands: [vllm serve]
model: meta-llama/Llama-3
gateway: true
https: auto
auth: false
strip_prefix: no
replicas: 0..4
scaling: {metric: rps, target: 10, window: 5m, scale_up_delay: 30s, scale_down_delay: 600}
rate_limits:
  - prefix: /api/
    rps: 10
    burst: 20
    key: {type: header, header: X-Key}
  - rps: 1
probes:
  - type: http
    url: /health
    interval: 15s
    timeout: 5
  - type: http
    method: post
    url: /v1/x
    headers: [{name: Content-Type, value: application/json}]
    body: "{}"
    ready_after: 2
    until_ready: on
`,
  'a service of groups': `
type: service
port: "80:8000"
gateway: other/gw
model: {name: m, format: tgi, eos_token: "</s>"}
groups:
  - name: router
    replicas: 1
    commands: [route]
    router: {type: sglang}
  - replicas: {min: 1, max: 4}
    image: x
    privileged: true
    spot_policy: spot
    scaling: {metric: rps, target: 1}
  - count: 2
    commands: [decode]
    python: "3.12"
    nvcc: true
`,
  'a service of groups in the older form':
    'type: service\nport: 1\nreplicas:\n  - count: 1..2\n    commands: [x]\n    scaling: {metric: rps, target: 3}\n',
  'a fleet of clouds': `
type: fleet
name: mine
placement: cluster
blocks: auto
nodes: 0..4
resources: {gpu: 24GB}
backends: [aws]
retry: true
idle_duration: off
`,
  'a fleet with a target': 'type: fleet\nnodes: {min: 1, target: 2, max: 4}\n',
  'a fleet of hosts': `
type: fleet
env: {A: b}
ssh_config:
  user: ubuntu
  port: 22
  identity_file: ~/.ssh/id
  network: 10.0.0.0/24
  proxy_jump: {hostname: jump, user: me, identity_file: ~/.ssh/jump}
  hosts:
    - 1.2.3.4
    - {hostname: 1.2.3.5, blocks: 4, user: root}
`,
  'a gateway': 'type: gateway\nname: gw\nbackend: aws\nregion: eu-west-1\ndomain: "*.example.com"\n',
  'a private gateway':
    'type: gateway\nbackend: aws\nregion: r\npublic_ip: false\nreplicas: 2\ncertificate: {type: acm, arn: "arn:x"}\ndefault: true\n',
  'a gateway without a certificate': 'type: gateway\nbackend: gcp\nregion: r\ncertificate: null\n',
  'a volume': 'type: volume\nbackend: aws\nregion: r\nsize: 100GB\nauto_cleanup_duration: 7d\navailability_zone: r-a\n',
  'a volume that exists': 'type: volume\nbackend: gcp\nregion: r\nvolume_id: v\n',
  'a runpod volume': 'type: volume\nbackend: runpod\nregion: r\nsize: 50\n',
  'a claim': 'type: volume\nbackend: kubernetes\nclaim_name: c\naccess_modes: [ReadWriteMany]\nread_only: true\n',
  'a preset':
    'type: preset\nmodel: {repo: org/x, name: x}\nprompt: {path: prompt.md}\nconcurrency: 8\nmax_ttft: 500\ntrials: 3\nmin_context_length: 8192\n',
  'a preset of a base': 'type: preset\nbase: org/x\nprompt: fast\ndataset: sharegpt\nbaseline: off\ngateway: gw\n',
};
