export { ElasticsearchFake } from './elasticsearch-fake.js';
export { FluentFake } from './fluent-fake.js';
