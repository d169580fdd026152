import { defineConfig } from 'vitepress';

const REPOSITORY = 'https://github.com/dstackai/dstack';

const page = (text, link) => ({ text, link });

/** `npm run docs:build` makes the site; a link to a page that is not there fails it. */
export default defineConfig({
  title: 'dstack',
  description: 'Run AI workloads anywhere from one YAML file',
  cleanUrls: true,
  lastUpdated: false,
  // Backends and the like are folders whose page is their README, as on GitHub.
  rewrites: { 'backends/README.md': 'backends/index.md' },
  markdown: {
    // `${{ … }}` of configurations is text here, no expression of the site.
    config: (md) => {
      for (const rule of ['text', 'code_inline']) {
        const render = md.renderer.rules[rule];
        md.renderer.rules[rule] = (...args) => render(...args).replaceAll('{{', '&#123;&#123;');
      }
    },
  },
  outDir: './.vitepress/dist',
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      page('Quickstart', '/quickstart'),
      page('Deployment', '/guides/deployment'),
      page('Reference', '/reference/configuration'),
      page('GitHub', REPOSITORY),
    ],
    sidebar: [
      {
        text: 'Start',
        items: [
          page('Installation', '/installation'),
          page('Quickstart', '/quickstart'),
          page('From Python dstack', '/migration'),
        ],
      },
      {
        text: 'Concepts',
        items: [
          page('What there is', '/concepts/'),
          page('Services', '/services'),
          page('Gateways', '/gateways'),
          page('SSH fleets', '/ssh-fleets'),
          page('This machine', '/local'),
          page('Volumes', '/volumes'),
          page('Container clouds', '/containers'),
          page('Attach', '/attach'),
          page('Metrics', '/metrics'),
          page('Prices', '/catalog'),
          page('Users and projects', '/users-and-projects'),
        ],
      },
      {
        text: 'Guides',
        items: [
          page('Deployment', '/guides/deployment'),
          page('Backups', '/guides/backups'),
          page('Litestream', '/guides/litestream'),
          page('Encryption', '/guides/encryption'),
          page('Storage of logs', '/guides/log-storage'),
          page('Observability', '/guides/observability'),
          page('Policies', '/guides/policies'),
          page('Bringing a database along', '/guides/import'),
          page('Air-gapped', '/guides/air-gapped'),
          page('Troubleshooting', '/guides/troubleshooting'),
        ],
      },
      {
        text: 'Backends',
        items: [
          page('All', '/backends/'),
          ...['aws', 'azure', 'gcp', 'kubernetes', 'lambda', 'oci', 'runpod', 'tensordock', 'vastai'].map((name) =>
            page(name, `/backends/${name}`),
          ),
        ],
      },
      {
        text: 'Reference',
        items: [
          page('Configuration', '/reference/configuration'),
          page('Command line', '/reference/cli'),
          page('REST API', '/reference/rest'),
          page('Environment variables', '/reference/env'),
          page('Errors', '/reference/errors'),
        ],
      },
      {
        text: 'The project',
        items: [
          page('Architecture', '/architecture'),
          page('Performance', '/performance'),
          page('Simulator', '/simulator'),
          page('Verification', '/verification'),
          page('Adding a backend', '/contributing/backends'),
        ],
      },
    ],
  },
});
